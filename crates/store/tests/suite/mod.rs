//! What every engine must do, independent of how it does it: functions that take a [`Factory`].
//!
//! `engine_suite!(name, make)` makes a module of tests from them.

pub(crate) mod backups;
pub(crate) mod cache;
pub(crate) mod classes;
pub(crate) mod commits;
pub(crate) mod encryption;
pub(crate) mod feed;
pub(crate) mod finding;
pub(crate) mod kql;
pub(crate) mod leaves;
pub(crate) mod model;
pub(crate) mod order;
pub(crate) mod points;
pub(crate) mod references;
pub(crate) mod searching;
pub(crate) mod spaces;
pub(crate) mod unique;
pub(crate) mod updates;

use ikebana_clock::{Clock, FakeClock, Millis};
use ikebana_query::{FieldKind, Query};
use ikebana_store::{
    Class, Commit, Draft, Engine, FindRequest, IndexedField, Key, ObjectType, Operation, Registry,
    SavedObject, Spaces, StoreError,
};
use serde_json::{Map, Value};
use std::sync::Arc;

/// An engine that holds nothing yet, and a folder of its own for as long as it lives.
pub(crate) struct Made {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) folder: tempfile::TempDir,
}

/// Makes a new engine for these types.
pub(crate) type Factory = fn(Registry, Arc<dyn Clock>) -> Made;

/// What the clock shows at first.
pub(crate) const START: Millis = Millis(1_700_000_000_000);

/// The types that the suite uses: one with every kind of index, and one of each class.
pub(crate) fn registry() -> Registry {
    Registry::new([
        ObjectType {
            indexed: &[
                IndexedField { path: "title", kind: FieldKind::Text },
                IndexedField { path: "body", kind: FieldKind::Text },
                IndexedField { path: "status", kind: FieldKind::Keyword },
                IndexedField { path: "tags", kind: FieldKind::Keyword },
                IndexedField { path: "owner.name", kind: FieldKind::Keyword },
                IndexedField { path: "size", kind: FieldKind::Number },
                IndexedField { path: "done", kind: FieldKind::Boolean },
                IndexedField { path: "due", kind: FieldKind::Date },
                IndexedField { path: "address", kind: FieldKind::Ip },
                IndexedField { path: "labels", kind: FieldKind::Flattened },
                IndexedField { path: "steps", kind: FieldKind::Nested },
            ],
            ..ObjectType::new("note", Class::Multiple)
        },
        ObjectType {
            indexed: &[
                IndexedField { path: "title", kind: FieldKind::Text },
                IndexedField { path: "status", kind: FieldKind::Keyword },
            ],
            unique: &["name"],
            ..ObjectType::new("single", Class::Single)
        },
        ObjectType { unique: &["owner.name"], ..ObjectType::new("isolated", Class::MultipleIsolated) },
        ObjectType { unique: &["name"], ..ObjectType::new("multiple", Class::Multiple) },
        ObjectType {
            indexed: &[IndexedField { path: "status", kind: FieldKind::Keyword }],
            unique: &["name"],
            ..ObjectType::new("agnostic", Class::Agnostic)
        },
        ObjectType {
            encrypted: &["token", "config"],
            bound: &["url", "kind"],
            indexed: &[IndexedField { path: "url", kind: FieldKind::Keyword }],
            ..ObjectType::new("vault", Class::Single)
        },
    ])
}

/// The types of [`registry`] in other places: engines that number types number them otherwise.
pub(crate) fn other_registry() -> Registry {
    let known = registry();
    let types = known.all().into_iter().map(|one| ObjectType::clone(one));
    Registry::new(
        types.chain([ObjectType::new("aaa", Class::Single), ObjectType::new("mmm", Class::Agnostic)]),
    )
}

/// An engine with a clock that the test sets.
pub(crate) struct Scene {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) registry: Registry,
    pub(crate) folder: tempfile::TempDir,
}

impl Scene {
    pub(crate) fn new(make: Factory) -> Self {
        Self::with(make, registry())
    }

    pub(crate) fn with(make: Factory, registry: Registry) -> Self {
        let clock = FakeClock::at(START);
        let made = make(registry.clone(), clock.clone());
        Self { engine: made.engine, clock, registry, folder: made.folder }
    }

    pub(crate) fn key(&self, object_type: &str, space: &str, id: &str) -> Key {
        self.registry.get(object_type).unwrap().key(space, id)
    }

    pub(crate) fn draft(&self, object_type: &str, space: &str, id: &str, attributes: Value) -> Draft {
        let of_type = self.registry.get(object_type).unwrap();
        Draft::new(of_type.key(space, id), of_type.namespaces(space), map(attributes))
    }

    /// A note in the default space.
    pub(crate) fn note(&self, id: &str, attributes: Value) -> Draft {
        self.draft("note", "default", id, attributes)
    }

    pub(crate) async fn put(&self, draft: Draft) -> Arc<SavedObject> {
        let committed = self.engine.commit(Commit::new().then(Operation::Put(draft))).await.unwrap();
        committed.objects[0].clone()
    }

    pub(crate) async fn put_all(&self, drafts: impl IntoIterator<Item = Draft>) {
        let operations = drafts.into_iter().map(Operation::Put).collect();
        self.engine.commit(Commit { operations, ..Commit::new() }).await.unwrap();
    }

    pub(crate) async fn delete(&self, key: &Key) -> u64 {
        let commit = Commit::new().then(Operation::Delete(key.clone()));
        self.engine.commit(commit).await.unwrap().deleted
    }

    pub(crate) async fn get(&self, key: &Key) -> Option<Arc<SavedObject>> {
        self.engine.get(std::slice::from_ref(key)).await.unwrap().remove(0)
    }

    /// What `commit` is refused with.
    pub(crate) async fn refusal(&self, commit: Commit) -> String {
        fault(self.engine.commit(commit).await)
    }

    /// Ids of all that is found, in order; the total must be their number.
    pub(crate) async fn ids(&self, request: FindRequest) -> Vec<String> {
        let page = self.engine.find(FindRequest { size: 10_000, ..request }).await.unwrap();
        assert_eq!(page.total, page.objects.len() as u64);
        ids(&page.objects)
    }

    /// Ids of the notes in all spaces that `query` finds, oldest first.
    pub(crate) async fn asked(&self, query: Query) -> Vec<String> {
        self.ids(FindRequest { query, spaces: Spaces::All, ..FindRequest::of("note") }).await
    }
}

/// The text of the error that must have come.
pub(crate) fn fault<T>(result: Result<T, StoreError>) -> String {
    match result {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error.to_string(),
    }
}

pub(crate) fn ids(objects: &[Arc<SavedObject>]) -> Vec<String> {
    objects.iter().map(|object| object.key.id.to_string()).collect()
}

pub(crate) fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("no object: {other}"),
    }
}

pub(crate) fn spaces(names: &[&str]) -> Spaces {
    Spaces::Some(namespaces(names))
}

pub(crate) fn namespaces(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|name| Arc::from(*name)).collect()
}

/// A module of tests for one engine: every test of every file of the suite.
macro_rules! engine_suite {
    ($engine:ident, $make:path) => {
        mod $engine {
            engine_suite!(@file $make, commits:
                operations_are_done_in_order_and_answered
                everything_of_an_object_is_kept
                nothing_is_done_if_a_precondition_fails
                nothing_is_done_if_an_operation_fails
                preconditions_are_judged_before_the_operations
                faults_say_what_is_wrong
                there_is_room_below_the_count
                versions_rise_and_terms_stay
                times_are_those_of_the_clock
                one_of_many_creators_wins
                the_loser_can_read_what_won
                bulk_work_is_done_too);
            engine_suite!(@file $make, classes:
                single_ids_are_apart_in_every_space
                isolated_ids_are_taken_everywhere
                multiple_ids_are_taken_everywhere_and_shared
                agnostic_objects_are_in_no_space_and_seen_from_all);
            engine_suite!(@file $make, spaces:
                a_search_looks_into_the_spaces_asked_for
                an_indexed_filter_minds_the_spaces_too
                an_emptied_space_leaves_the_others
                an_emptied_space_is_part_of_its_commit);
            engine_suite!(@file $make, unique:
                a_value_is_taken_within_its_space
                a_value_in_all_spaces_stands_against_every_space
                agnostic_values_are_taken_everywhere
                a_value_is_free_again
                a_commit_is_judged_as_it_goes
                what_is_no_text_is_not_unique);
            engine_suite!(@file $make, leaves:
                every_leaf_on_indexed_and_unindexed_attributes
                text_leaves_compare_words
                addresses_flattened_and_nested_fields
                root_fields_are_asked_for_alone_and_behind_a_type
                not_is_the_other_half
                values_that_a_field_cannot_hold_are_not_held
                patterns_take_no_exponential_time
                thousands_of_members_are_answered);
            engine_suite!(@file $make, finding:
                types_are_those_asked_for
                names_that_cannot_be_asked_for
                a_search_sees_changes_and_deletions
                totals_and_pages
                both_of_one_moment);
            engine_suite!(@file $make, order:
                by_age_unless_told
                by_attributes_with_the_missing_last
                by_root_fields_and_several
                unknown_fields_are_refused);
            engine_suite!(@file $make, references:
                any_and_all_of_them
                none_of_them
                they_follow_the_object);
            engine_suite!(@file $make, searching:
                the_simple_query_string
                fields_and_types
                phrases_end_with_their_value
                words_follow_the_object
                words_without_regard_to_case);
            engine_suite!(@file $make, kql:
                texts_find_what_they_say
                nested_objects_one_by_one);
            engine_suite!(@file $make, points:
                a_list_is_kept_while_the_store_goes_on
                a_list_has_the_order_of_its_request
                a_list_ends_when_it_is_not_used
                a_list_ends_when_it_is_closed
                there_are_not_too_many_lists);
            engine_suite!(@file $make, feed:
                changes_come_in_order
                changes_come_in_portions
                every_commit_wakes_up
                refused_commits_leave_no_trace
                a_reader_far_behind_is_told);
            engine_suite!(@file $make, cache:
                a_read_after_a_write_sees_it
                readers_never_see_time_go_back
                several_objects_are_read_of_one_moment
                deleted_objects_stay_deleted
                large_objects_and_many_objects);
            engine_suite!(@file $make, backups:
                a_backup_brings_everything_back
                a_restore_begins_a_new_life
                a_backup_never_overwrites
                what_is_no_backup_is_refused
                a_backup_is_of_one_moment
                reads_during_restores_are_of_one_life);
            engine_suite!(@file $make, encryption:
                secrets_are_stripped_and_kept_sealed
                secrets_are_bound
                null_and_absent_secrets_stay
                another_key_ring_reads_nothing
                a_rotated_key_still_reads);
            engine_suite!(@file $make, updates:
                a_hundred_increments_are_a_hundred
                strangers_do_not_lose_increments_either
                an_update_of_nothing_is_not_found
                the_closures_own_error_comes_back);
            #[test]
            fn model() {
                crate::suite::model::an_engine_does_as_a_map_does($make);
            }
        }
    };
    (@file $make:path, $file:ident: $($test:ident)+) => {
        mod $file {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    crate::suite::$file::$test($make).await;
                }
            )+
        }
    };
}
