mod oas;
mod spaces;
mod stats;
mod status;
