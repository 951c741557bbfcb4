//! The HTTP side of identity. The rules are in `ikebana-identity`.

use http::StatusCode;
use ikebana_http::{Answer, ApiError, Authorization, Body, Call, Method, Route, RouteSpec};
use ikebana_identity::{Identity, NewUser, Principal, UserError};
use ikebana_schema::{
    Schema, Unknown, any, array, boolean, literal, null, nullable, object, record, string, union,
};
use ikebana_secrets::Secret;
use serde::Deserialize;
use serde_json::{Value, json};
use std::pin::Pin;
use std::sync::Arc;

type Work = fn(Arc<Identity>, Call) -> Pin<Box<dyn Future<Output = Result<Answer, ApiError>> + Send>>;

/// The cluster's own refusal stands behind these routes; here it is the superuser's.
const MANAGE_SECURITY: Authorization = Authorization::Service("the cluster privilege manage_security");

/// All routes of users.
pub fn routes(identity: &Arc<Identity>) -> Vec<Route> {
    let with = |spec: RouteSpec, work: Work| {
        let identity = identity.clone();
        spec.unversioned().handle(move |call| work(identity.clone(), call))
    };
    let users = |method, path| RouteSpec::new(method, path, MANAGE_SECURITY);
    let missing = |spec: RouteSpec| spec.answers(404, "There is no such user.", any());
    vec![
        with(
            RouteSpec::new(
                Method::Get,
                "/internal/security/me",
                Authorization::Open("everybody may know who they are"),
            )
            .document("security", "get-me", "Get the caller")
            .answers(200, "The caller.", me_schema()),
            |_, call| Box::pin(me(call)),
        ),
        with(
            users(Method::Get, "/internal/security/users")
                .document("security", "get-users", "Get all users")
                .answers(200, "The users.", array(user_schema())),
            |identity, call| Box::pin(list(identity, call)),
        ),
        with(
            missing(users(Method::Get, "/internal/security/users/{username}"))
                .document("security", "get-user", "Get a user")
                .params(username_params())
                .answers(200, "The user.", user_schema()),
            |identity, call| Box::pin(get(identity, call)),
        ),
        with(
            users(Method::Post, "/internal/security/users/{username}")
                .document("security", "post-user", "Create or replace a user")
                .params(username_params())
                .body(Body::Json(write_schema()))
                .answers(200, "What was sent.", any()),
            |identity, call| Box::pin(put(identity, call)),
        ),
        with(
            missing(users(Method::Delete, "/internal/security/users/{username}"))
                .document("security", "delete-user", "Delete a user")
                .params(username_params())
                .answers_empty(204, "The user is gone."),
            |identity, call| Box::pin(delete(identity, call)),
        ),
        with(
            users(Method::Post, "/internal/security/users/{username}/password")
                .document("security", "post-user-password", "Change a password")
                .params(username_params())
                .body(Body::Json(password_schema()))
                .answers_empty(204, "The password is changed."),
            |identity, call| Box::pin(password(identity, call)),
        ),
        with(
            users(Method::Post, "/internal/security/users/{username}/_enable")
                .document("security", "enable-user", "Let a user log in")
                .params(username_params())
                .answers_empty(204, "The user may log in."),
            |identity, call| Box::pin(set_enabled(identity, call, true)),
        ),
        with(
            users(Method::Post, "/internal/security/users/{username}/_disable")
                .document("security", "disable-user", "Let a user log in no more")
                .params(username_params())
                .answers_empty(204, "The user may not log in any more."),
            |identity, call| Box::pin(set_enabled(identity, call, false)),
        ),
    ]
}

fn username_params() -> Schema {
    object([("username", string().min_len(1).max_len(1024))])
}

fn write_schema() -> Schema {
    object([
        ("username", string().min_len(1).max_len(1024)),
        ("password", string().min_len(1).optional()),
        ("roles", array(string().min_len(1))),
        ("full_name", union([null(), string()]).optional()),
        ("email", union([null(), string()]).optional()),
        ("metadata", record(string(), any()).optional()),
        ("enabled", boolean().default(json!(true))),
    ])
}

fn password_schema() -> Schema {
    object([("password", string().min_len(1).optional()), ("newPassword", string().min_len(1))])
}

fn user_schema() -> Schema {
    object([
        ("username", string()),
        ("roles", array(string())),
        ("full_name", nullable(string())),
        ("email", nullable(string())),
        ("metadata", record(string(), any())),
        ("enabled", boolean()),
    ])
}

fn me_schema() -> Schema {
    object([("username", string()), ("roles", array(string())), ("authentication_type", literal("realm"))])
        .unknown(Unknown::Allow)
}

/// The form in which Kibana passes on what the cluster says.
fn cluster_text(kind: &str, reason: &str) -> String {
    format!("[{kind}\n\tRoot causes:\n\t\t{kind}: {reason}]: {reason}")
}

fn illegal(reason: &str) -> ApiError {
    ApiError::bad_request(cluster_text("illegal_argument_exception", reason))
}

fn invalid(kind: &str, fault: &str) -> ApiError {
    ApiError::bad_request(cluster_text(kind, &format!("Validation Failed: 1: {fault};")))
}

fn refusal(error: UserError) -> ApiError {
    let text = error.to_string();
    match error {
        // The cluster answers without a reason, and Kibana words what is not there.
        UserError::NotFound(_) => ApiError::new(StatusCode::NOT_FOUND, "[{}]: undefined"),
        UserError::Reserved(_) => invalid("action_request_validation_exception", &text),
        UserError::Undeletable(_) => illegal(&text),
        UserError::NoPassword | UserError::ShortPassword | UserError::ReservedMetadata => {
            invalid("validation_exception", &text)
        }
        UserError::WrongPassword(_) => ApiError::forbidden(cluster_text("security_exception", &text)),
        UserError::Busy => ApiError::unavailable("Service Unavailable", 1),
        UserError::Store(error) => error.into(),
        UserError::Hash(_) => ApiError::internal(text),
    }
}

/// A change of a user that is not there: the cluster words it as a fault of the request.
fn refusal_of_change(error: UserError, if_missing: &str) -> ApiError {
    match error {
        UserError::NotFound(_) => invalid("validation_exception", if_missing),
        error => refusal(error),
    }
}

/// What the cluster says to somebody without `manage_security`.
fn require_manage_security(principal: &Principal, action: &str) -> Result<(), ApiError> {
    if principal.is_superuser() {
        return Ok(());
    }
    let reason = format!(
        "action [{action}] is unauthorized for user [{}] with effective roles [{}], this action is granted by \
         the cluster privileges [manage_security,all]",
        principal.username,
        principal.roles.join(",")
    );
    Err(ApiError::forbidden(cluster_text("security_exception", &reason)))
}

/// Whether the path names the caller.
fn is_caller(call: &Call) -> Result<bool, ApiError> {
    Ok(*call.principal()?.username == *call.param("username"))
}

async fn me(call: Call) -> Result<Answer, ApiError> {
    let principal = call.principal()?;
    let realm = json!({"name": principal.realm.name, "type": principal.realm.realm_type});
    Ok(Answer::json(&json!({
        "username": &*principal.username,
        "roles": principal.roles,
        "full_name": principal.full_name,
        "email": principal.email,
        "metadata": principal.metadata,
        "enabled": true,
        "authentication_realm": realm,
        "lookup_realm": realm,
        "authentication_type": "realm",
        "authentication_provider": {"type": "http", "name": "__http__"},
        "elastic_cloud_user": false,
    })))
}

async fn list(identity: Arc<Identity>, call: Call) -> Result<Answer, ApiError> {
    require_manage_security(call.principal()?, "cluster:admin/xpack/security/user/get")?;
    Ok(Answer::json(&identity.users().await.map_err(refusal)?))
}

async fn get(identity: Arc<Identity>, call: Call) -> Result<Answer, ApiError> {
    require_manage_security(call.principal()?, "cluster:admin/xpack/security/user/get")?;
    Ok(Answer::json(&identity.user(call.param("username")).await.map_err(refusal)?))
}

async fn put(identity: Arc<Identity>, mut call: Call) -> Result<Answer, ApiError> {
    require_manage_security(call.principal()?, "cluster:admin/xpack/security/user/put")?;
    let mut echo = call.body.clone();
    let new: NewUser = call.take_body()?;
    if !new.enabled && is_caller(&call)? {
        return Err(invalid(
            "action_request_validation_exception",
            "native and reserved realm users may not update the enabled status of their own account",
        ));
    }
    identity.put_user(call.param("username"), new).await.map_err(refusal)?;
    // Kibana repeats the whole body. The password is left out: no answer may carry a secret.
    if let Value::Object(echo) = &mut echo {
        echo.shift_remove("password");
    }
    Ok(Answer::json(&echo))
}

async fn delete(identity: Arc<Identity>, call: Call) -> Result<Answer, ApiError> {
    require_manage_security(call.principal()?, "cluster:admin/xpack/security/user/delete")?;
    match identity.delete_user(call.param("username")).await {
        Ok(()) => Ok(Answer::empty(StatusCode::NO_CONTENT)),
        Err(UserError::NotFound(_)) => {
            Err(ApiError::new(StatusCode::NOT_FOUND, "[{\"found\":false}]: undefined"))
        }
        Err(error) => Err(refusal(error)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewPassword {
    password: Option<Secret>,
    new_password: Secret,
}

async fn password(identity: Arc<Identity>, mut call: Call) -> Result<Answer, ApiError> {
    let body: NewPassword = call.take_body()?;
    let principal = call.principal()?.clone();
    let username = call.param("username");
    let own = is_caller(&call)?;
    if !own {
        require_manage_security(&principal, "cluster:admin/xpack/security/user/change_password")?;
    }
    // Who changes their own shows that they know the present one.
    let present = own.then(|| body.password.unwrap_or_default());
    identity
        .change_password(username, present, body.new_password)
        .await
        .map_err(|error| refusal_of_change(error, "user must exist in order to change password"))?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

async fn set_enabled(identity: Arc<Identity>, call: Call, enabled: bool) -> Result<Answer, ApiError> {
    require_manage_security(call.principal()?, "cluster:admin/xpack/security/user/set_enabled")?;
    if is_caller(&call)? {
        return Err(illegal("users may not update the enabled status of their own account"));
    }
    let word = if enabled { "enabled" } else { "disabled" };
    identity
        .set_enabled(call.param("username"), enabled)
        .await
        .map_err(|error| refusal_of_change(error, &format!("only existing users can be {word}")))?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}
