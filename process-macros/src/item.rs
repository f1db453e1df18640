//! Reads the annotated item: the signature is parsed, the body stays raw tokens.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, FnArg, Ident, Signature, Visibility};

use crate::docs;
use crate::errors::Errors;

/// An annotated function.
///
/// The body is not parsed, so that a body with errors causes exactly the author's own errors.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    /// Without the `#[field(…)]` attributes, which only this crate knows.
    pub(crate) signature: Signature,
    /// The `#[field(…)]` attributes and doc comments of each parameter, in the order of `signature.inputs`.
    pub(crate) fields: Vec<Vec<Attribute>>,
    /// A second `#[process]` on the same function.
    pub(crate) again: Option<Attribute>,
    pub(crate) body: Group,
}

impl Function {
    /// Reads the annotated item, or reports what it is instead of a function.
    pub(crate) fn read(item: TokenStream) -> Result<Self, Errors> {
        Self::parse.parse2(item.clone()).map_err(|error| {
            let mut errors = Errors::of_no_process();
            match kind_of.parse2(item) {
                Ok(Kind { word, name }) => {
                    let name = name.map(|name| format!(" `{name}`")).unwrap_or_default();
                    let what = description_of(&word);
                    let message = format!(
                        "`#[process]` must be applied to an `async fn`, not on {what}{name}: \
                         write `#[process(title = \"…\")] async fn …() {{ … }}`"
                    );
                    errors.push(word, message);
                }
                Err(_) => {
                    let message = format!("`#[process]` must be applied to an `async fn`: {error}");
                    errors.push_at(error.span(), message);
                }
            }
            errors
        })
    }

    /// The function's own name, which a raw identifier writes as `r#name`.
    pub(crate) fn name(&self) -> &Ident {
        &self.signature.ident
    }

    /// The lines of the doc comment, without the space that follows each `///`.
    pub(crate) fn description(&self) -> String {
        docs::text(self.docs())
    }

    /// The doc comment, and the other attributes for rustdoc.
    pub(crate) fn docs(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(|attribute| attribute.path().is_ident("doc"))
    }

    /// The conditions under which the function exists.
    pub(crate) fn conditions(&self) -> Vec<&Attribute> {
        self.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
    }

    pub(crate) fn is_deprecated(&self) -> bool {
        self.attributes.iter().any(|attribute| attribute.path().is_ident("deprecated"))
    }

    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let again = attributes.iter().position(is_process).map(|index| attributes.remove(index));
        let visibility = input.parse()?;
        let mut signature: Signature = input.parse()?;
        let body = body(input)?;
        let fields = signature.inputs.iter_mut().map(take_fields).collect();
        Ok(Self { attributes, visibility, signature, fields, again, body })
    }
}

fn is_process(attribute: &Attribute) -> bool {
    let path = attribute.path();
    let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    matches!(segments.join("::").as_str(), "process" | "process_runtime::process")
}

/// The braces of the body. A `macro_rules!` parameter arrives inside an invisible group.
fn body(input: ParseStream<'_>) -> syn::Result<Group> {
    let mut tree: TokenTree = input.parse()?;
    loop {
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return Ok(group),
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                tree = syn::parse2(group.stream())?;
            }
            other => return Err(syn::Error::new_spanned(other, "a process needs a body")),
        }
    }
}

/// Removes the `#[field(…)]` attributes from a parameter, and its doc comment, which rustc does not allow there.
fn take_fields(input: &mut FnArg) -> Vec<Attribute> {
    let FnArg::Typed(input) = input else { return Vec::new() };
    let all = std::mem::take(&mut input.attrs);
    let (fields, others) = all
        .into_iter()
        .partition(|attribute| attribute.path().is_ident("field") || attribute.path().is_ident("doc"));
    input.attrs = others;
    fields
}

/// What something that is no function is.
struct Kind {
    word: TokenTree,
    name: Option<Ident>,
}

/// Finds the keyword of an item, such as `struct`.
fn kind_of(input: ParseStream<'_>) -> syn::Result<Kind> {
    input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    // A function without a body: only a trait can declare one.
    if let Ok(signature) = input.fork().parse::<Signature>() {
        let word = signature.fn_token.into_token_stream().into_iter().next();
        let name = Some(signature.ident);
        input.parse::<TokenStream>()?;
        return word.map(|word| Kind { word, name }).ok_or_else(|| input.error("no item"));
    }
    while let Ok(TokenTree::Ident(word)) = input.parse() {
        // `unsafe impl`, `unsafe trait`, `auto trait`, `safe fn`: the keyword follows.
        if ["unsafe", "auto", "default", "safe"].iter().any(|modifier| word == modifier) {
            continue;
        }
        let named = ["struct", "enum", "union", "trait", "mod", "type", "static", "const"];
        let name = if named.iter().any(|kind| word == kind) { input.parse().ok() } else { None };
        input.parse::<TokenStream>()?;
        return Ok(Kind { word: TokenTree::Ident(word), name });
    }
    Err(input.error("no item"))
}

fn description_of(word: &TokenTree) -> String {
    match word.to_string().as_str() {
        "fn" => "the trait's method".to_owned(),
        "enum" => "the enum".to_owned(),
        "struct" => "the struct".to_owned(),
        "impl" => "an `impl` block; move the function out of it".to_owned(),
        "mod" => "the module".to_owned(),
        word @ ("trait" | "union" | "static") => format!("the {word}"),
        "const" => "the constant".to_owned(),
        "type" => "the type".to_owned(),
        "use" => "a `use`".to_owned(),
        other => format!("`{other}`"),
    }
}
