//! The features that privileges and spaces speak of (`http-core.md` §4.1).

/// The group of a feature; a space's solution hides whole groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Dashboards, maps and the like.
    Kibana,
    /// Search applications.
    EnterpriseSearch,
    /// Monitoring of services and infrastructure.
    Observability,
    /// Detection and response.
    SecuritySolution,
    /// Administration.
    Management,
}

/// One feature.
#[derive(Clone, Copy, Debug)]
pub struct Feature {
    /// The id that roles and spaces name.
    pub id: &'static str,
    /// The group.
    pub category: Category,
    /// For a deprecated id: what stands in its place when it is read. Empty: not deprecated.
    pub successors: &'static [&'static str],
}

/// The look of a space, which decides what is hidden in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Solution {
    /// Hides observability and security.
    Es,
    /// Hides security.
    Oblt,
    /// Hides observability and search.
    Security,
}

impl Solution {
    /// The solution of that name; `classic` is none.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "es" => Some(Self::Es),
            "oblt" => Some(Self::Oblt),
            "security" => Some(Self::Security),
            _ => None,
        }
    }

    /// Ids of the features that it hides, in the registry's order. Deprecated ids are not named: that is
    /// how the line's patch releases answer, its first release named them too.
    pub fn hidden_features(self) -> impl Iterator<Item = &'static str> {
        FEATURES
            .iter()
            .filter(|feature| feature.successors.is_empty())
            .filter(move |feature| match (self, feature.category) {
                (Self::Es, Category::Observability) => feature.id != "observabilityAIAssistant",
                (Self::Es | Self::Oblt, Category::SecuritySolution)
                | (Self::Security, Category::Observability | Category::EnterpriseSearch) => true,
                _ => false,
            })
            .map(|feature| feature.id)
    }
}

impl Feature {
    /// The feature of that id.
    pub fn find(id: &str) -> Option<&'static Self> {
        FEATURES.iter().find(|feature| feature.id == id)
    }
}

const fn feature(id: &'static str, category: Category) -> Feature {
    Feature { id, category, successors: &[] }
}

const fn deprecated(id: &'static str, category: Category, successors: &'static [&'static str]) -> Feature {
    Feature { id, category, successors }
}

use Category::{EnterpriseSearch, Kibana, Management, Observability, SecuritySolution};

/// All features of the 8.19 line, grouped.
pub const FEATURES: &[Feature] = &[
    deprecated("discover", Kibana, &["discover_v2"]),
    feature("discover_v2", Kibana),
    deprecated("dashboard", Kibana, &["dashboard_v2"]),
    feature("dashboard_v2", Kibana),
    deprecated("visualize", Kibana, &["visualize_v2"]),
    feature("visualize_v2", Kibana),
    deprecated("maps", Kibana, &["maps_v2"]),
    feature("maps_v2", Kibana),
    feature("canvas", Kibana),
    feature("graph", Kibana),
    feature("ml", Kibana),
    feature("enterpriseSearch", EnterpriseSearch),
    feature("enterpriseSearchApplications", EnterpriseSearch),
    feature("enterpriseSearchAnalytics", EnterpriseSearch),
    feature("searchInferenceEndpoints", EnterpriseSearch),
    feature("searchPlayground", EnterpriseSearch),
    feature("searchSynonyms", EnterpriseSearch),
    feature("apm", Observability),
    feature("infrastructure", Observability),
    feature("inventory", Observability),
    feature("logs", Observability),
    deprecated("observabilityCases", Observability, &["observabilityCasesV3"]),
    deprecated("observabilityCasesV2", Observability, &["observabilityCasesV3"]),
    feature("observabilityCasesV3", Observability),
    feature("observabilityAIAssistant", Observability),
    feature("slo", Observability),
    feature("uptime", Observability),
    deprecated(
        "siem",
        SecuritySolution,
        &["siemV2", "securitySolutionTimeline", "securitySolutionNotes"],
    ),
    feature("siemV2", SecuritySolution),
    deprecated("securitySolutionCases", SecuritySolution, &["securitySolutionCasesV3"]),
    deprecated("securitySolutionCasesV2", SecuritySolution, &["securitySolutionCasesV3"]),
    feature("securitySolutionCasesV3", SecuritySolution),
    feature("securitySolutionAssistant", SecuritySolution),
    feature("securitySolutionAttackDiscovery", SecuritySolution),
    feature("securitySolutionTimeline", SecuritySolution),
    feature("securitySolutionNotes", SecuritySolution),
    feature("securitySolutionSiemMigrations", SecuritySolution),
    feature("dev_tools", Management),
    feature("advancedSettings", Management),
    feature("indexPatterns", Management),
    feature("filesManagement", Management),
    feature("filesSharedImage", Management),
    feature("savedObjectsManagement", Management),
    feature("savedQueryManagement", Management),
    feature("savedObjectsTagging", Management),
    feature("actions", Management),
    feature("stackAlerts", Management),
    feature("rulesSettings", Management),
    feature("maintenanceWindow", Management),
    deprecated("generalCases", Management, &["generalCasesV3"]),
    deprecated("generalCasesV2", Management, &["generalCasesV3"]),
    feature("generalCasesV3", Management),
    feature("osquery", Management),
    feature("fleet", Management),
    feature("fleetv2", Management),
    feature("monitoring", Management),
    feature("dataQuality", Management),
    feature("guidedOnboardingFeature", Management),
    feature("aiAssistantManagementSelection", Management),
    feature("entityManager", Management),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_successors_exist() {
        for (at, feature) in FEATURES.iter().enumerate() {
            assert!(FEATURES[at + 1..].iter().all(|other| other.id != feature.id), "{}", feature.id);
            for successor in feature.successors {
                assert!(Feature::find(successor).is_some_and(|found| found.successors.is_empty()), "{successor}");
            }
        }
    }
}
