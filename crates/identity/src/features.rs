//! The features that privileges and spaces speak of, as Kibana 8.19 registers them.

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

/// All features of the 8.19 line, grouped.
pub const FEATURES: &[Feature] = &[
    deprecated("discover", Category::Kibana, &["discover_v2"]),
    feature("discover_v2", Category::Kibana),
    deprecated("dashboard", Category::Kibana, &["dashboard_v2"]),
    feature("dashboard_v2", Category::Kibana),
    deprecated("visualize", Category::Kibana, &["visualize_v2"]),
    feature("visualize_v2", Category::Kibana),
    deprecated("maps", Category::Kibana, &["maps_v2"]),
    feature("maps_v2", Category::Kibana),
    feature("canvas", Category::Kibana),
    feature("graph", Category::Kibana),
    feature("ml", Category::Kibana),
    feature("enterpriseSearch", Category::EnterpriseSearch),
    feature("enterpriseSearchApplications", Category::EnterpriseSearch),
    feature("enterpriseSearchAnalytics", Category::EnterpriseSearch),
    feature("searchInferenceEndpoints", Category::EnterpriseSearch),
    feature("searchPlayground", Category::EnterpriseSearch),
    feature("searchSynonyms", Category::EnterpriseSearch),
    feature("apm", Category::Observability),
    feature("infrastructure", Category::Observability),
    feature("inventory", Category::Observability),
    feature("logs", Category::Observability),
    deprecated("observabilityCases", Category::Observability, &["observabilityCasesV3"]),
    deprecated("observabilityCasesV2", Category::Observability, &["observabilityCasesV3"]),
    feature("observabilityCasesV3", Category::Observability),
    feature("observabilityAIAssistant", Category::Observability),
    feature("slo", Category::Observability),
    feature("uptime", Category::Observability),
    deprecated(
        "siem",
        Category::SecuritySolution,
        &["siemV2", "securitySolutionTimeline", "securitySolutionNotes"],
    ),
    feature("siemV2", Category::SecuritySolution),
    deprecated("securitySolutionCases", Category::SecuritySolution, &["securitySolutionCasesV3"]),
    deprecated("securitySolutionCasesV2", Category::SecuritySolution, &["securitySolutionCasesV3"]),
    feature("securitySolutionCasesV3", Category::SecuritySolution),
    feature("securitySolutionAssistant", Category::SecuritySolution),
    feature("securitySolutionAttackDiscovery", Category::SecuritySolution),
    feature("securitySolutionTimeline", Category::SecuritySolution),
    feature("securitySolutionNotes", Category::SecuritySolution),
    feature("securitySolutionSiemMigrations", Category::SecuritySolution),
    feature("dev_tools", Category::Management),
    feature("advancedSettings", Category::Management),
    feature("indexPatterns", Category::Management),
    feature("filesManagement", Category::Management),
    feature("filesSharedImage", Category::Management),
    feature("savedObjectsManagement", Category::Management),
    feature("savedQueryManagement", Category::Management),
    feature("savedObjectsTagging", Category::Management),
    feature("actions", Category::Management),
    feature("stackAlerts", Category::Management),
    feature("rulesSettings", Category::Management),
    feature("maintenanceWindow", Category::Management),
    deprecated("generalCases", Category::Management, &["generalCasesV3"]),
    deprecated("generalCasesV2", Category::Management, &["generalCasesV3"]),
    feature("generalCasesV3", Category::Management),
    feature("osquery", Category::Management),
    feature("fleet", Category::Management),
    feature("fleetv2", Category::Management),
    feature("monitoring", Category::Management),
    feature("dataQuality", Category::Management),
    feature("guidedOnboardingFeature", Category::Management),
    feature("aiAssistantManagementSelection", Category::Management),
    feature("entityManager", Category::Management),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_successors_exist() {
        for (at, feature) in FEATURES.iter().enumerate() {
            assert!(FEATURES[at + 1..].iter().all(|other| other.id != feature.id), "{}", feature.id);
            for successor in feature.successors {
                assert!(
                    Feature::find(successor).is_some_and(|found| found.successors.is_empty()),
                    "{successor}"
                );
            }
        }
    }
}
