mod spaces;
