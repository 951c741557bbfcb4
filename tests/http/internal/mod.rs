mod security;
mod spaces;
