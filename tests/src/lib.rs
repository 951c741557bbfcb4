//! Tests of the whole program over HTTP. The tree below `http/` mirrors the tree of the URLs.
