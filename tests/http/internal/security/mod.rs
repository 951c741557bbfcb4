mod me;
mod users;
mod users_password;
