//! What is written, line by line.

use super::{
    AppenderSettings, LayoutSettings, Level, LogLayer, LoggerSettings, LoggingError, LoggingSettings,
};
use super::{Pattern, Rewrite, Rolling};
use ikebana_clock::{FakeClock, Millis};
use ikebana_secrets::Secret;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt as _;

#[derive(Clone, Default)]
struct Console(Arc<Mutex<Vec<u8>>>);

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What standard output gets when `code` logs on 2024-08-22T18:04:53.124Z, 12.3 s after the start.
fn logged(settings: &LoggingSettings, terminal: bool, code: impl FnOnce()) -> String {
    let clock = FakeClock::at(Millis(1_724_349_893_124 - 12_300));
    clock.advance(Duration::from_millis(12_300));
    let console = Console::default();
    let layer = LogLayer::new(settings, terminal, clock, Box::new(console.clone())).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), code);
    let bytes = console.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap().replace(&format!("\"pid\":{}", std::process::id()), "\"pid\":1")
}

fn in_request(id: &str, code: impl FnOnce()) {
    ikebana_http::within_request(ikebana_http::RequestId::Given(id.into()), code);
}

fn plain() -> LoggingSettings {
    LoggingSettings { color: false, ..LoggingSettings::default() }
}

fn at(level: Level) -> LoggingSettings {
    let root = LoggerSettings { level, ..LoggingSettings::default().root };
    LoggingSettings { root, ..plain() }
}

fn logger(name: &str, level: Level, appenders: &[&str]) -> LoggerSettings {
    let appenders = appenders.iter().map(|one| (*one).to_owned()).collect();
    LoggerSettings { name: name.to_owned(), level, appenders }
}

/// Everything goes to the console with this pattern.
fn pattern(text: &str, highlight: bool) -> LoggingSettings {
    let layout = LayoutSettings::Pattern { pattern: Pattern::parse(text).unwrap(), highlight };
    LoggingSettings {
        root: logger("root", Level::Trace, &["x"]),
        appenders: [("x".to_owned(), AppenderSettings::Console(layout))].into(),
        ..plain()
    }
}

const UNTIL_MESSAGE: &str = "[2024-08-22T18:04:53.124+00:00]";

#[test]
fn a_line_for_people_padding_unverified() {
    let text = logged(&plain(), true, || {
        tracing::info!(target: "http.server", port = 5601, path = "/a b", empty = "", ok = true, "running");
        tracing::warn!(target: "ikebana_store::embedded::writer", "slow");
        in_request("r-1", || tracing::error!(target: "http", "failed"));
        tracing::debug!("unheard");
    });
    let lines = [
        "[INFO ][http.server] running port=5601 path=\"/a b\" empty=\"\" ok=true",
        "[WARN ][ikebana.store] slow",
        "[ERROR][http] failed request=r-1",
    ]
    .map(|line| format!("{UNTIL_MESSAGE}{line}\n"));
    assert_eq!(text, lines.concat());
}

#[test]
fn colours_on_a_terminal() {
    let text = logged(&LoggingSettings::default(), true, || tracing::error!(target: "x", "y"));
    assert_eq!(text, format!("{UNTIL_MESSAGE}[\u{1b}[31mERROR\u{1b}[0m][\u{1b}[2mx\u{1b}[0m] y\n"));
}

#[test]
fn an_ecs_line_uptime_unverified() {
    let text = logged(&plain(), false, || {
        let error = std::io::Error::other("disk");
        in_request("r-1", || {
            tracing::error!(
                target: "plugins.x",
                {
                    http.request.method = "GET",
                    millis = 3_u64,
                    url.path = "/a",
                    error = &error as &dyn std::error::Error
                },
                "it failed"
            );
        });
    });
    assert_eq!(
        text,
        concat!(
            r#"{"service":{"node":{"roles":["background_tasks","ui"]}},"#,
            r#""http":{"request":{"method":"GET","id":"r-1"}},"labels":{"millis":3},"url":{"path":"/a"},"#,
            r#""ecs":{"version":"8.11.0"},"@timestamp":"2024-08-22T18:04:53.124+00:00","message":"it failed","#,
            r#""error":{"message":"disk"},"log":{"level":"ERROR","logger":"plugins.x"},"#,
            r#""process":{"pid":1,"uptime":12.3},"trace":{"id":"r-1"}}"#,
            "\n"
        )
    );
}

#[test]
fn fields_never_take_the_place_of_the_lines_own() {
    let text = logged(&plain(), false, || {
        tracing::info!(
            ecs.version = "1",
            trace.id = "t",
            user = "u",
            user.name = "n",
            a.b = 1,
            a.b.c = 2,
            "m"
        );
    });
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["ecs"], json!({ "version": "8.11.0" }));
    assert_eq!(line["trace"], Value::Null);
    assert_eq!((&line["a"], &line["user"]), (&json!({ "b": 1 }), &json!({ "name": "n" })));
    assert_eq!(line["labels"], json!({ "ecs.version": "1", "trace.id": "t", "user": "u", "a.b.c": 2 }));
}

#[test]
fn the_pattern_layout_padding_unverified() {
    for (text, line) in [
        ("%message", "m".to_owned()),
        ("%level|%logger|%pid", format!("INFO |a.b|{}", std::process::id())),
        ("%date", "2024-08-22T18:04:53.124+00:00".to_owned()),
        ("%date{ISO8601}", "2024-08-22T18:04:53.124Z".to_owned()),
        ("%date{ISO8601_TZ}", "2024-08-22T18:04:53.124+00:00".to_owned()),
        ("%date{ABSOLUTE}", "18:04:53.124".to_owned()),
        ("%date{ABSOLUTE}{UTC}", "18:04:53.124".to_owned()),
        ("%date{UNIX}", "1724349893".to_owned()),
        ("%date{UNIX_MILLIS}", "1724349893124".to_owned()),
        ("%meta", r#"{"http":{"status":200},"labels":{"n":1}}"#.to_owned()),
        ("%% %other {x} 100%", "%% %other {x} 100%".to_owned()),
        ("[%logger{x}]", "[a.b{x}]".to_owned()),
    ] {
        let found = logged(
            &pattern(text, false),
            false,
            || tracing::info!(target: "a.b", { http.status = 200, n = 1 }, "m"),
        );
        assert_eq!(found, format!("{line}\n"), "{text}");
    }
    assert_eq!(logged(&pattern("<%meta>", false), false, || tracing::info!("m")), "<>\n");
}

/// Only where the machine has a database of time zones.
#[test]
fn dates_in_another_zone() {
    let Ok(zoned) = Pattern::parse("%date{ISO8601_TZ}{America/Los_Angeles}") else { return };
    let layout = LayoutSettings::Pattern { pattern: zoned, highlight: false };
    let mut settings = pattern("", false);
    settings.appenders.insert("x".to_owned(), AppenderSettings::Console(layout));
    assert_eq!(logged(&settings, false, || tracing::info!("m")), "2024-08-22T11:04:53.124-07:00\n");
}

#[test]
fn levels_and_names_decide_what_is_written() {
    let events = || {
        tracing::error!(fatal = true, "fatal");
        tracing::error!("error");
        tracing::warn!("warn");
        tracing::info!("info");
        tracing::debug!("debug");
        tracing::trace!("trace");
    };
    let all = ["fatal", "error", "warn", "info", "debug", "trace"];
    for (level, count) in [
        (Level::Off, 0),
        (Level::Fatal, 1),
        (Level::Error, 2),
        (Level::Warn, 3),
        (Level::Info, 4),
        (Level::Debug, 5),
        (Level::Trace, 6),
    ] {
        let text = logged(&at(level), true, events);
        let messages: Vec<&str> =
            text.lines().filter_map(|line| line.rsplit_once("] ")).map(|one| one.1).collect();
        assert_eq!(messages, all[..count], "{level:?}");
    }
    let text = logged(&at(Level::Fatal), false, events);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["log"]["level"], "FATAL");
}

#[test]
fn loggers_inherit_what_they_do_not_say() {
    let mut settings = pattern("x:%message", false);
    let other = LayoutSettings::Pattern { pattern: Pattern::parse("y:%message").unwrap(), highlight: false };
    settings.appenders.insert("y".to_owned(), AppenderSettings::Console(other));
    settings.root.level = Level::Warn;
    settings.loggers = vec![
        logger("http", Level::Info, &["y"]),
        logger("http.server", Level::Debug, &[]),
        logger("ikebana.store", Level::Off, &[]),
        logger("both", Level::Info, &["x", "y"]),
    ];
    let text = logged(&settings, false, || {
        tracing::info!(target: "other", "1");
        tracing::info!(target: "http", "2");
        tracing::debug!(target: "http", "3");
        tracing::debug!(target: "http.server.response", "4");
        tracing::info!(target: "https", "5");
        tracing::error!(target: "ikebana_store::sealing", "6");
        tracing::info!(target: "both", "7");
        tracing::warn!(target: "other", "8");
    });
    assert_eq!(text, "y:2\ny:4\nx:7\ny:7\nx:8\n");
}

#[test]
fn libraries_are_quiet_unless_asked_and_never_trace() {
    let events = || {
        tracing::warn!(target: "h2::proto", "warn");
        tracing::info!(target: "h2::proto", "info");
        tracing::debug!(target: "h2::proto", "debug");
        tracing::trace!(target: "h2::proto", "trace");
    };
    let mut settings = pattern("%logger:%message", false);
    assert_eq!(logged(&settings, false, events), "h2.proto:warn\n");
    settings.loggers = vec![logger("h2", Level::Trace, &[])];
    assert_eq!(logged(&settings, false, events), "h2.proto:warn\nh2.proto:info\nh2.proto:debug\n");
    settings.loggers[0].level = Level::Off;
    assert_eq!(logged(&settings, false, events), "");
}

/// A value that says when it is looked at.
struct Counted<'a>(&'a AtomicUsize);

impl std::fmt::Display for Counted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fetch_add(1, Ordering::Relaxed);
        f.write_str("counted")
    }
}

#[test]
fn what_is_filtered_out_is_never_put_in_words() {
    let count = AtomicUsize::new(0);
    for (level, expected) in [(Level::Info, 0), (Level::Debug, 10)] {
        logged(&at(level), true, || {
            for _ in 0..10 {
                tracing::debug!(value = %Counted(&count), "m");
            }
        });
        assert_eq!(count.load(Ordering::Relaxed), expected);
    }
}

#[test]
fn secrets_are_not_written() {
    let secret = Secret::from("hunter2".to_owned());
    for terminal in [true, false] {
        let text = logged(&plain(), terminal, || {
            tracing::info!(key = %secret, other = ?secret, "with {secret}");
            tracing::info!(http.request.headers.Authorization = "hunter2", cookie = "hunter2", "headers");
            tracing::info!(password = "hunter2", "password");
        });
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(
            (text.matches("[redacted]").count(), text.matches("[REDACTED]").count()),
            (3, 3),
            "{text}"
        );
    }
}

#[test]
fn nobody_can_forge_a_line() {
    let evil = "a\r\n[2024] forged\u{1b}[2J\u{85}\u{2028}\u{202e}\u{7f}\0\tend";
    let shown = "a\\r\\n[2024] forged\\u{1b}[2J\\u{85}\\u{2028}\\u{202e}\\u{7f}\\u{0}\\tend";
    let text = logged(&plain(), true, || {
        tracing::info!(target: "t", value = evil.replace(' ', "_"), "{evil}");
        in_request(evil, || tracing::info!(target: "t", "m"));
    });
    let expected = format!(
        "{UNTIL_MESSAGE}[INFO ][t] {shown} value={}\n{UNTIL_MESSAGE}[INFO ][t] m request={shown}\n",
        shown.replace(' ', "_")
    );
    assert_eq!(text, expected);
    let text = logged(&plain(), false, || tracing::info!(value = evil, "{evil}"));
    let body = text.strip_suffix('\n').unwrap();
    assert!(!body.chars().any(|c| c.is_control() || "\u{2028}\u{202e}".contains(c)), "{body:?}");
    let line: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&line["message"], &line["labels"]["value"]), (&json!(evil), &json!(evil)));
}

#[test]
fn rewriting_removes_and_changes_fields() {
    let mut settings = pattern("%message %meta", false);
    let rewrite = |properties: &[(&str, Option<Value>)], to: &str| {
        AppenderSettings::Rewrite(Rewrite {
            properties: properties.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect(),
            appenders: vec![to.to_owned()],
        })
    };
    settings.appenders.insert("remove".to_owned(), rewrite(&[("http.request", None)], "update"));
    settings.appenders.insert("update".to_owned(), rewrite(&[("url.path", Some(json!("hidden")))], "x"));
    settings.root.appenders = vec!["remove".to_owned()];
    let text = logged(&settings, false, || {
        tracing::info!(http.request.method = "GET", http.response.status = 200, url.path = "/a", "m");
    });
    assert_eq!(text, "m {\"http\":{\"response\":{\"status\":200}},\"url\":{\"path\":\"hidden\"}}\n");
}

fn to_file(path: PathBuf, rolling: Option<Rolling>) -> LoggingSettings {
    let mut settings = pattern("%message", false);
    let Some(AppenderSettings::Console(layout)) = settings.appenders.remove("x") else { panic!("a console") };
    settings.appenders.insert("x".to_owned(), AppenderSettings::File { path, layout, rolling });
    settings
}

#[test]
fn files_are_appended_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs/i.log");
    for message in ["one", "two"] {
        assert_eq!(logged(&to_file(path.clone(), None), true, || tracing::info!("{message}")), "");
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), "one\ntwo\n");
}

#[test]
fn files_roll_by_size() {
    let folder = tempfile::tempdir().unwrap();
    let rolling = Rolling { size: 6, pattern: "-%i".to_owned(), max: 2 };
    logged(&to_file(folder.path().join("i.log"), Some(rolling)), true, || {
        for number in 1..=9 {
            tracing::info!("l{number}");
        }
    });
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    let expected = [("i-1.log", "l7\nl8\n"), ("i-2.log", "l5\nl6\n"), ("i.log", "l9\n")]
        .map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(files, expected);
}

#[test]
fn what_cannot_be_set_up_is_told() {
    let fault = |settings: &LoggingSettings| {
        LogLayer::new(settings, true, FakeClock::at(Millis(0)), Box::new(Console::default()))
            .map(drop)
            .unwrap_err()
    };
    let mut settings = plain();
    settings.loggers = vec![logger("a", Level::Info, &["nowhere"])];
    assert_eq!(fault(&settings).to_string(), "Logger \"a\" contains unsupported appender key \"nowhere\".");
    let folder = tempfile::tempdir().unwrap();
    let error = fault(&to_file(folder.path().to_owned(), None));
    assert!(matches!(error, LoggingError::File { .. }), "{error}");
    let mut settings = plain();
    let rewrite =
        |to: &str| AppenderSettings::Rewrite(Rewrite { properties: vec![], appenders: vec![to.to_owned()] });
    settings.appenders = [("a".to_owned(), rewrite("b")), ("b".to_owned(), rewrite("a"))].into();
    assert!(matches!(fault(&settings), LoggingError::Circle(name) if name == "a"));
}
