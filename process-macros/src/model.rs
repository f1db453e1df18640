//! The checked picture of one process: its names, its texts and its parameters.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{FnArg, Ident, LitStr, Pat, Path, Type};

use crate::args::ProcessArgs;
use crate::errors::Errors;
use crate::helpers;
use crate::item::Function;
use crate::keys::{list, nearest};
use crate::naming;
use crate::options::FieldArgs;
use crate::places::path_at;
use crate::policy::PolicyArgs;
use crate::question;
use crate::signature;

/// A process, as far as it could be parsed. It is valid if no error was reported.
pub(crate) struct Model {
    /// The path of process-runtime.
    pub(crate) runtime: TokenStream,
    /// True if the author set the path of process-runtime.
    pub(crate) runtime_given: bool,
    /// The name of the controller type; none when the function cannot have one.
    pub(crate) name: Option<Ident>,
    pub(crate) title: String,
    /// The last segment of the route.
    pub(crate) route: String,
    pub(crate) group: Option<String>,
    pub(crate) description: String,
    /// The question to confirm before a start.
    pub(crate) confirm: Option<String>,
    /// The function that validates all inputs together.
    pub(crate) validate: Option<Path>,
    /// The cron expression of its schedule.
    pub(crate) schedule: Option<String>,
    /// How its runs are queued and repeated.
    pub(crate) policy: PolicyArgs,
    pub(crate) parameters: Vec<Parameter>,
}

/// A parameter of the function, in the order of its inputs.
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// True if the runtime injects it, according to its type's name, so that it is not a form field.
    pub(crate) injected: bool,
    pub(crate) field: FieldArgs,
}

impl Model {
    /// Checks the function and the arguments together and reports every mistake.
    pub(crate) fn check(args: ProcessArgs, function: &Function, errors: &mut Errors) -> Self {
        let named = signature::check(function, errors);
        helpers::check_spawned(function.body.stream(), errors);
        let mut fields: Vec<FieldArgs> =
            function.fields.iter().map(|attributes| FieldArgs::read(attributes, errors)).collect();
        let parameters = named.into_iter().map(|parameter| {
            let injected = signature::is_injected(parameter.ty);
            let mut field = fields.get_mut(parameter.index).map(std::mem::take).unwrap_or_default();
            if let Some(attributes) = function.fields.get(parameter.index).filter(|_| !injected) {
                field.document(attributes);
            }
            if let Some(key) = field.first_key().filter(|_| injected) {
                let message =
                    "this parameter is injected by the runtime and is not a form field: remove `#[field(…)]`";
                errors.push(key, message);
            }
            let (name, ident) = (plain(parameter.name), parameter.name.clone());
            Parameter { name, ident, ty: parameter.ty.clone(), injected, field }
        });
        let parameters: Vec<Parameter> = parameters.collect();
        if let Some(key) = &args.policy.concurrency_key {
            check_concurrency_key(key, &parameters, function, errors);
        }
        if let Some(question) = &args.confirm {
            let fields = parameters.iter().filter(|parameter| !parameter.injected);
            question::check(question, &fields.map(|field| field.name.as_str()).collect::<Vec<_>>(), errors);
        }
        let name = type_name(&args, function, errors);
        let title = title(&args, name.as_ref(), errors);
        let group = args.group.as_ref().map(|group| segment(group, "group", errors));
        let route = route(&args, name.as_ref(), function, errors);
        let runtime_given = args.runtime.is_some();
        let runtime = match args.runtime {
            Some(path) => path.into_token_stream(),
            None => quote!(::process_runtime),
        };
        // The controller of a method would be inside the `impl`, where types are not allowed.
        let name = name.filter(|_| function.signature.receiver().is_none());
        Self {
            runtime,
            runtime_given,
            name,
            title,
            route,
            group,
            description: function.description(),
            confirm: args.confirm.map(|question| question.value()),
            validate: args.validate,
            schedule: args.schedule.map(|schedule| schedule.value()),
            policy: args.policy,
            parameters,
        }
    }

    /// The parameters that are form fields.
    pub(crate) fn given(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|parameter| !parameter.injected)
    }

    /// The path of process-runtime, located at `place` and resolved where the author wrote it.
    pub(crate) fn runtime_at(&self, place: Span) -> TokenStream {
        path_at(&self.runtime, self.runtime_given, place)
    }
}

/// An identifier's name without `r#`.
fn plain(ident: &Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

fn type_name(args: &ProcessArgs, function: &Function, errors: &mut Errors) -> Option<Ident> {
    if let Some(name) = &args.name {
        if !naming::is_type_name(&name.to_string()) {
            let example = naming::type_name(&name.to_string()).unwrap_or_else(|| "ImportUsers".to_owned());
            let message = format!("`{name}` is not a valid type name: write `name = {example}`");
            errors.push(name, message);
        }
        if naming::is_name(&name.to_string()) {
            return Some(name.clone());
        }
    }
    let made = naming::type_name(&function.name().to_string());
    if made.is_none() && !args.name_reported && args.name.is_none() {
        errors.push(function.name(), "this name cannot become a type name: add `name = ImportUsers`");
    }
    // The type is the function's other name: errors about it and jumps to it lead to the function.
    made.map(|name| Ident::new(&name, function.name().span()))
}

fn title(args: &ProcessArgs, name: Option<&Ident>, errors: &mut Errors) -> String {
    let Some(title) = &args.title else {
        if !args.title_reported {
            let example = name.map_or_else(|| "…".to_owned(), |name| naming::sentence(&name.to_string()));
            let message =
                format!("the title is missing: write `title = \"{example}\"`, the heading of the page");
            errors.push_at(Span::call_site(), message);
        }
        return String::new();
    };
    let text = title.value();
    if text.trim().is_empty() {
        let example = name.map_or_else(|| "…".to_owned(), |name| naming::sentence(&name.to_string()));
        errors.push(
            title,
            format!("the title is empty: write `title = \"{example}\"`, the heading of the page"),
        );
    }
    text
}

/// The key is the value of a field of the form.
fn check_concurrency_key(key: &Ident, parameters: &[Parameter], function: &Function, errors: &mut Errors) {
    let name = plain(key);
    let given = parameters.iter().find(|parameter| parameter.name == name);
    let is_written = |input: &FnArg| match input {
        FnArg::Typed(input) => matches!(&*input.pat, Pat::Ident(pat) if plain(&pat.ident) == name),
        FnArg::Receiver(_) => false,
    };
    let fields = parameters.iter().filter(|parameter| !parameter.injected);
    let fields: Vec<&str> = fields.map(|parameter| parameter.name.as_str()).collect();
    let message = match given {
        Some(parameter) if !parameter.injected => return,
        // The error in that parameter was reported.
        None if function.signature.inputs.iter().any(is_written) => return,
        _ if fields.is_empty() => {
            "a concurrency key is the name of a form field, and this process has none: remove `concurrency_key`".to_owned()
        }
        Some(_) => format!(
            "`{name}` is injected by the runtime, but a concurrency key is the name of a form field: \
             the fields are {}",
            list(&fields)
        ),
        None => match nearest(&name, &fields) {
            Some(near) => format!("there is no field `{name}`: did you mean `{near}`?"),
            None => format!("there is no field `{name}`: the fields are {}", list(&fields)),
        },
    };
    errors.push(key, message);
}

fn route(args: &ProcessArgs, name: Option<&Ident>, function: &Function, errors: &mut Errors) -> String {
    let top_level = args.group.is_none();
    match (&args.route, name) {
        (Some(route), _) => {
            let text = route.value();
            if top_level && naming::is_reserved(&text) {
                errors.push(route, reserved("route", &text));
                return text;
            }
            checked_segment(route, "route", errors)
        }
        (None, Some(name)) => {
            let text = naming::route(&name.to_string());
            if top_level && naming::is_reserved(&text) {
                let message = format!("{}: add `route = \"…\"` or `group = \"…\"`", reserved("route", &text));
                errors.push(function.name(), message);
            }
            text
        }
        (None, None) => String::new(),
    }
}

/// A group is always the first segment.
fn segment(group: &LitStr, key: &str, errors: &mut Errors) -> String {
    let text = group.value();
    if naming::is_reserved(&text) {
        errors.push(group, reserved(key, &text));
        return text;
    }
    checked_segment(group, key, errors)
}

fn checked_segment(given: &LitStr, key: &str, errors: &mut Errors) -> String {
    let text = given.value();
    if !naming::is_segment(&text) {
        let example = naming::nearest_segment(&text).unwrap_or_else(|| "import-users".to_owned());
        let message = format!(
            "a {key} contains lower-case letters, digits and single `-` between them: \
             write `{key} = \"{example}\"`"
        );
        errors.push(given, message);
    }
    text
}

fn reserved(key: &str, text: &str) -> String {
    format!("the {key} `{text}` is reserved for the runtime's own pages (`/{text}`): choose another")
}
