//! The objects of OpenAPI 3.1 that the document consists of, as far as it needs them.
//!
//! They are structs of this crate because no crate fits. `utoipa` 6 does not compile without its macros, with them the
//! first build of a small program takes about 6 % more, and its schemas have no `const`. `aide` brings `schemars`, `oas3`
//! brings `regex` and `derive_more`. `openapiv3` ends at OpenAPI 3.0, which is not JSON Schema. Here a schema is a JSON
//! Schema as it is, so the one of a process is that of its `schema.json`.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::json_schema::Schema;

/// Text that is part of the program, or comes from the declaration of a process.
pub(super) type Text = Cow<'static, str>;

/// A map in the order in which it is written.
type Entries<K, V> = Vec<(K, V)>;

fn as_map<K: Serialize, V: Serialize, S: Serializer>(
    entries: &[(K, V)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(entries.iter().map(|(key, value)| (key, value)))
}

/// The root of the document.
#[derive(Serialize)]
pub(super) struct Document {
    pub(super) openapi: &'static str,
    pub(super) info: Info,
    pub(super) servers: [Server; 1],
    pub(super) tags: Vec<Tag>,
    #[serde(serialize_with = "as_map")]
    pub(super) paths: Entries<String, PathItem>,
    pub(super) components: Components,
}

#[derive(Serialize)]
pub(super) struct Info {
    pub(super) title: &'static str,
    pub(super) version: &'static str,
    pub(super) description: &'static str,
}

#[derive(Serialize)]
pub(super) struct Server {
    pub(super) url: String,
}

#[derive(Serialize)]
pub(super) struct Tag {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
}

/// The operations of one path.
#[derive(Default, Serialize)]
pub(super) struct PathItem {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<RefOr<Parameter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    get: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post: Option<Operation>,
}

impl PathItem {
    pub(super) fn get(operation: Operation) -> Self {
        Self { get: Some(operation), ..Self::default() }
    }

    pub(super) fn post(operation: Operation) -> Self {
        Self { post: Some(operation), ..Self::default() }
    }

    pub(super) fn and_post(self, operation: Option<Operation>) -> Self {
        Self { post: operation, ..self }
    }

    /// A parameter of every operation of the path.
    pub(super) fn parameter(mut self, parameter: impl Into<RefOr<Parameter>>) -> Self {
        self.parameters.push(parameter.into());
        self
    }
}

/// What a verb does at a path.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    tags: [&'static str; 1],
    operation_id: String,
    summary: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<RefOr<Parameter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_body: Option<RequestBody>,
    #[serde(serialize_with = "as_map")]
    responses: Entries<u16, RefOr<Response>>,
}

impl Operation {
    /// An operation under this tag. The id is unique in the document: generators name functions after it.
    pub(super) fn new(tag: &'static str, id: impl Into<String>, summary: &'static str) -> Self {
        Self {
            tags: [tag],
            operation_id: id.into(),
            summary,
            description: "",
            parameters: Vec::new(),
            request_body: None,
            responses: Vec::new(),
        }
    }

    pub(super) fn described(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    pub(super) fn parameter(mut self, parameter: impl Into<RefOr<Parameter>>) -> Self {
        self.parameters.push(parameter.into());
        self
    }

    pub(super) fn body(self, body: RequestBody) -> Self {
        Self { request_body: Some(body), ..self }
    }

    /// The response with this status; it replaces one that is there.
    pub(super) fn response(mut self, status: u16, response: impl Into<RefOr<Response>>) -> Self {
        self.responses.retain(|(known, _)| *known != status);
        let place = self.responses.partition_point(|(known, _)| *known < status);
        self.responses.insert(place, (status, response.into()));
        self
    }
}

/// Where a parameter stands.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Location {
    Path,
    Query,
    Header,
}

#[derive(Serialize)]
pub(super) struct Parameter {
    name: &'static str,
    #[serde(rename = "in")]
    location: Location,
    required: bool,
    description: Text,
    /// False for an array that is one value, with commas between.
    #[serde(skip_serializing_if = "Option::is_none")]
    explode: Option<bool>,
    schema: Schema,
}

impl Parameter {
    fn new(location: Location, name: &'static str, description: impl Into<Text>, schema: Schema) -> Self {
        let (description, required) = (description.into(), matches!(location, Location::Path));
        Self { name, location, required, description, explode: None, schema }
    }

    pub(super) fn path(name: &'static str, description: &'static str, schema: Schema) -> Self {
        Self::new(Location::Path, name, description, schema)
    }

    pub(super) fn query(name: &'static str, description: impl Into<Text>, schema: Schema) -> Self {
        Self::new(Location::Query, name, description, schema)
    }

    pub(super) fn header(name: &'static str, description: &'static str, schema: Schema) -> Self {
        Self::new(Location::Header, name, description, schema)
    }

    pub(super) fn comma_separated(self) -> Self {
        Self { explode: Some(false), ..self }
    }
}

/// Media types, each with the schema of its content.
type Content = Entries<&'static str, MediaType>;

#[derive(Serialize)]
struct MediaType {
    schema: Schema,
}

#[derive(Serialize)]
pub(super) struct RequestBody {
    description: &'static str,
    required: bool,
    #[serde(serialize_with = "as_map")]
    content: Content,
}

impl RequestBody {
    pub(super) fn new(description: &'static str, required: bool) -> Self {
        Self { description, required, content: Vec::new() }
    }

    pub(super) fn content(mut self, media_type: &'static str, schema: Schema) -> Self {
        self.content.push((media_type, MediaType { schema }));
        self
    }
}

#[derive(Serialize)]
pub(super) struct Response {
    description: Text,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
    headers: Entries<&'static str, RefOr<Header>>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
    content: Content,
}

impl Response {
    pub(super) fn new(description: impl Into<Text>) -> Self {
        Self { description: description.into(), headers: Vec::new(), content: Vec::new() }
    }

    pub(super) fn header(mut self, name: &'static str, header: impl Into<RefOr<Header>>) -> Self {
        self.headers.push((name, header.into()));
        self
    }

    pub(super) fn content(mut self, media_type: &'static str, schema: Schema) -> Self {
        self.content.push((media_type, MediaType { schema }));
        self
    }
}

#[derive(Serialize)]
pub(super) struct Header {
    description: &'static str,
    schema: Schema,
}

impl Header {
    pub(super) fn new(description: &'static str, schema: Schema) -> Self {
        Self { description, schema }
    }
}

/// What several operations refer to.
#[derive(Default, Serialize)]
pub(super) struct Components {
    #[serde(serialize_with = "as_map")]
    pub(super) schemas: Entries<String, Schema>,
    #[serde(serialize_with = "as_map")]
    pub(super) parameters: Entries<&'static str, Parameter>,
    #[serde(serialize_with = "as_map")]
    pub(super) headers: Entries<&'static str, Header>,
    #[serde(serialize_with = "as_map")]
    pub(super) responses: Entries<&'static str, Response>,
}

/// An object, or a reference to one of the components.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum RefOr<T> {
    Ref {
        #[serde(rename = "$ref")]
        target: String,
    },
    Object(T),
}

impl<T> From<T> for RefOr<T> {
    fn from(object: T) -> Self {
        Self::Object(object)
    }
}

pub(super) fn shared_parameter(name: &str) -> RefOr<Parameter> {
    RefOr::Ref { target: format!("#/components/parameters/{name}") }
}

pub(super) fn shared_header(name: &str) -> RefOr<Header> {
    RefOr::Ref { target: format!("#/components/headers/{name}") }
}

pub(super) fn shared_response(name: &str) -> RefOr<Response> {
    RefOr::Ref { target: format!("#/components/responses/{name}") }
}
