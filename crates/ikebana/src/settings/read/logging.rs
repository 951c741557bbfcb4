//! `logging.*`.

use super::{is_true, optional_text, text, texts, whole};
use crate::logging::{
    AppenderSettings, LayoutSettings, Level, LoggerSettings, LoggingSettings, Pattern, Rewrite, Rolling,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(super) fn settings(section: &Value, env: &BTreeMap<String, String>) -> LoggingSettings {
    let loggers = section["loggers"].as_array().into_iter().flatten();
    let appenders = section["appenders"].as_object().into_iter().flatten();
    LoggingSettings {
        root: logger(&section["root"], "root".to_owned()),
        loggers: loggers.map(|one| logger(one, text(&one["name"]))).collect(),
        appenders: appenders.map(|(name, one)| (name.clone(), appender(one))).collect(),
        color: env.get("NO_COLOR").is_none_or(String::is_empty),
    }
}

fn logger(value: &Value, name: String) -> LoggerSettings {
    let level = value["level"].as_str().and_then(Level::parse).unwrap_or(Level::Info);
    LoggerSettings { name, level, appenders: texts(&value["appenders"]) }
}

fn appender(value: &Value) -> AppenderSettings {
    let path = PathBuf::from(text(&value["fileName"]));
    let layout = layout(&value["layout"]);
    match value["type"].as_str() {
        Some("rewrite") => AppenderSettings::Rewrite(rewrite(value)),
        Some("file") => AppenderSettings::File { path, layout, rolling: None },
        Some("rolling-file") => AppenderSettings::File { path, layout, rolling: rolling(value) },
        _ => AppenderSettings::Console(layout),
    }
}

fn layout(value: &Value) -> LayoutSettings {
    if value["type"] == "json" {
        return LayoutSettings::Json;
    }
    let pattern = optional_text(&value["pattern"]).and_then(|text| Pattern::parse(&text).ok());
    LayoutSettings::Pattern { pattern: pattern.unwrap_or_default(), highlight: is_true(&value["highlight"]) }
}

/// By size only; a file that should roll by time just grows (see [`ignored_by_logging`]).
fn rolling(value: &Value) -> Option<Rolling> {
    let (policy, strategy) = (&value["policy"], &value["strategy"]);
    (policy["type"] == "size-limit").then(|| Rolling {
        size: whole(&policy["size"]),
        pattern: text(&strategy["pattern"]),
        max: u32::try_from(whole(&strategy["max"])).unwrap_or(u32::MAX),
    })
}

fn rewrite(value: &Value) -> Rewrite {
    let update = value["policy"]["mode"] == "update";
    let properties = value["policy"]["properties"].as_array().into_iter().flatten();
    Rewrite {
        properties: properties
            .map(|one| (text(&one["path"]), update.then(|| one["value"].clone())))
            .collect(),
        appenders: texts(&value["appenders"]),
    }
}

/// Whether the dotted name is one of those about files that roll by time, or about clearing them away.
pub(in crate::settings) fn ignored_by_logging(key: &str, settings: &LoggingSettings) -> bool {
    let Some(rest) = key.strip_prefix("logging.appenders.") else { return false };
    settings.appenders.iter().any(|(name, appender)| {
        let option = rest.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('.'));
        let grows = matches!(appender, AppenderSettings::File { rolling: None, .. });
        option.is_some_and(|option| {
            option.starts_with("retention")
                || (grows && (option.starts_with("policy") || option.starts_with("strategy")))
        })
    })
}
