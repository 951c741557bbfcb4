mod delete;
mod disabled_features;
mod life;
mod permissions;
mod space;
mod space_id;
