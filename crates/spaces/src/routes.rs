//! The HTTP side of spaces.

use crate::model::{id_params, list_query, space_schema, summary_params, write_schema};
use crate::service::{Purpose, SpaceError, Spaces, may};
use http::StatusCode;
use ikebana_http::{Access, Answer, ApiError, Authorization, Body, Call, Method, Route, RouteSpec};
use ikebana_identity::Principal;
use ikebana_schema::{Unknown, any, array, integer, object, string};
use serde_json::{Value, json};

impl From<SpaceError> for ApiError {
    fn from(error: SpaceError) -> Self {
        let text = error.to_string();
        match error {
            SpaceError::Unauthorized(_) | SpaceError::NothingVisible => Self::forbidden(text),
            SpaceError::NotFound => Self::not_found(),
            SpaceError::Taken(_) => Self::conflict(text),
            SpaceError::Refused(_) => Self::bad_request(text),
            SpaceError::Store(error) => error.into(),
        }
    }
}

const GLOBAL_ALL: Authorization = Authorization::Service("the global base privilege all");
const ANY_IN_SPACE: Authorization = Authorization::Service("any privilege in the space");

fn documented_example() -> Value {
    json!({
        "id": "marketing", "name": "Marketing", "color": null, "imageUrl": "", "initials": "MK",
        "description": "This is the Marketing Space", "disabledFeatures": []
    })
}

/// All routes of spaces.
pub fn routes(spaces: &Spaces) -> Vec<Route> {
    let with = |spec: RouteSpec, handler: Work| {
        let spaces = spaces.clone();
        spec.handle(move |call| handler(spaces.clone(), call))
    };
    let space = |spec: RouteSpec| spec.answers(200, "The space.", space_schema());
    let missing = |spec: RouteSpec| spec.answers(404, "There is no such space.", fault_schema());
    vec![
        with(
            space(RouteSpec::new(Method::Post, "/api/spaces/space", GLOBAL_ALL))
                .document("spaces", "post-spaces-space", "Create a space")
                .body(Body::Json(write_schema()))
                .example(documented_example)
                .answers(409, "The id is taken.", fault_schema()),
            |spaces, call| Box::pin(create(spaces, call)),
        ),
        with(
            RouteSpec::new(Method::Get, "/api/spaces/space", ANY_IN_SPACE)
                .document("spaces", "get-spaces-space", "Get all spaces")
                .query(list_query())
                .answers(200, "The spaces that the caller sees.", array(space_schema())),
            |spaces, call| Box::pin(list(spaces, call)),
        ),
        with(
            missing(space(RouteSpec::new(Method::Get, "/api/spaces/space/{id}", ANY_IN_SPACE)))
                .document("spaces", "get-spaces-space-id", "Get a space")
                .params(id_params()),
            |spaces, call| Box::pin(get(spaces, call)),
        ),
        with(
            missing(space(RouteSpec::new(Method::Put, "/api/spaces/space/{id}", GLOBAL_ALL)))
                .document("spaces", "put-spaces-space-id", "Update a space")
                .params(id_params())
                .body(Body::Json(write_schema())),
            |spaces, call| Box::pin(update(spaces, call)),
        ),
        with(
            missing(RouteSpec::new(Method::Delete, "/api/spaces/space/{id}", GLOBAL_ALL))
                .document("spaces", "delete-spaces-space-id", "Delete a space")
                .params(id_params())
                .answers_empty(204, "The space and all that was in it are gone."),
            |spaces, call| Box::pin(delete(spaces, call)),
        ),
        with(
            missing(space(RouteSpec::new(Method::Get, "/internal/spaces/_active_space", ANY_IN_SPACE)))
                .document("spaces", "get-active-space", "Get the space of the request")
                .unversioned(),
            |spaces, call| Box::pin(active(spaces, call)),
        ),
        with(
            missing(RouteSpec::new(
                Method::Get,
                "/internal/spaces/{spaceId}/content_summary",
                Authorization::Privileges(&["manage_spaces"]),
            ))
            .document("spaces", "get-space-content-summary", "Count what is in a space")
            .unversioned()
            .params(summary_params())
            .access(Access::Internal)
            .answers(200, "Counts by type.", summary_schema()),
            |spaces, call| Box::pin(content_summary(spaces, call)),
        ),
    ]
}

type Work = fn(Spaces, Call) -> std::pin::Pin<Box<dyn Future<Output = Result<Answer, ApiError>> + Send>>;

fn fault_schema() -> ikebana_schema::Schema {
    object([("statusCode", integer()), ("error", string()), ("message", string())])
}

fn summary_schema() -> ikebana_schema::Schema {
    object([("summary", array(object([("count", integer())]).unknown(Unknown::Allow))), ("total", any())])
}

async fn create(spaces: Spaces, mut call: Call) -> Result<Answer, ApiError> {
    let new = call.take_body()?;
    Ok(Answer::json(&spaces.create(call.principal()?, new).await?))
}

async fn list(spaces: Spaces, call: Call) -> Result<Answer, ApiError> {
    let principal = call.principal()?;
    let purpose = match call.query.get("purpose").and_then(Value::as_str) {
        Some("copySavedObjectsIntoSpace") => Purpose::Copy,
        Some("shareSavedObjectsIntoSpace") => Purpose::Share,
        _ => Purpose::Any,
    };
    let list = spaces.list(principal, purpose).await?;
    if !call.flag("include_authorized_purposes") {
        return Ok(Answer::json(&list));
    }
    let with_purposes: Vec<Value> = list
        .iter()
        .map(|space| {
            let mut shown = json!(space);
            shown["authorizedPurposes"] = authorized_purposes(principal, &space.id);
            shown
        })
        .collect();
    Ok(Answer::json(&with_purposes))
}

fn authorized_purposes(principal: &Principal, space: &str) -> Value {
    json!({
        "any": may(principal, space, Purpose::Any),
        "copySavedObjectsIntoSpace": may(principal, space, Purpose::Copy),
        "findSavedObjects": principal.may(space, "saved_object:find"),
        "shareSavedObjectsIntoSpace": may(principal, space, Purpose::Share),
    })
}

async fn get(spaces: Spaces, call: Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(&spaces.get(call.principal()?, call.param("id")).await?))
}

async fn update(spaces: Spaces, mut call: Call) -> Result<Answer, ApiError> {
    let change = call.take_body()?;
    Ok(Answer::json(&spaces.update(call.principal()?, call.param("id"), change).await?))
}

async fn delete(spaces: Spaces, call: Call) -> Result<Answer, ApiError> {
    spaces.delete(call.principal()?, call.param("id")).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

async fn active(spaces: Spaces, call: Call) -> Result<Answer, ApiError> {
    match spaces.get(call.principal()?, &call.space).await {
        Ok(space) => Ok(Answer::json(&space)),
        // Here Kibana passes on the store's own words.
        Err(SpaceError::NotFound) => {
            let text = format!("Saved object [space/{}] not found", call.space);
            Err(ApiError::new(StatusCode::NOT_FOUND, text))
        }
        Err(error) => Err(error.into()),
    }
}

async fn content_summary(spaces: Spaces, call: Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(&spaces.content_summary(call.param("spaceId")).await?))
}
