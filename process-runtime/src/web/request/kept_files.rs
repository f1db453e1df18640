//! Files of earlier runs that a start uses again: named by their address, offered by the form, and taken over into the
//! new run, for visitors who are permitted to download them.

use std::collections::HashMap;
use std::io::ErrorKind;

use axum::response::Response;
use serde_json::{Map, Value};

use crate::access::Action;
use crate::field::{FieldErrors, FieldInfo};
use crate::process::Process;
use crate::processes::StartRequest;
use crate::run::{Run, RunId};
use crate::texts::Message;
use crate::uploads::{GivenFile, for_each_file};
use crate::web::pages::KeptFile;
use crate::web::request::context::Context;
use crate::web::request::problem::Problem;

/// How many runs the files of one start may come from.
const MAX_RUNS: usize = 10;

/// The address of a file, relative to the mount. Below it, the file can be downloaded.
fn address(run: RunId, field_path: &str) -> String {
    format!("runs/{run}/inputs/{field_path}")
}

/// The run and the path of the field in an address; `None` for any other text.
fn read(text: &str) -> Option<(RunId, &str)> {
    let (run, field_path) = text.rsplit_once("/inputs/")?;
    let (_, id) = run.rsplit_once("runs/").filter(|(base, _)| base.is_empty() || base.ends_with('/'))?;
    Some((id.parse().ok()?, field_path))
}

/// The inputs of a run as values of a form: without secrets, and with the addresses of the files that are still there.
pub(in crate::web) async fn values_of(
    context: &Context,
    process: &'static Process,
    run: &Run,
) -> Result<Map<String, Value>, Response> {
    let fields = process.fields();
    let mut files = Files::new(context);
    let offered: Vec<_> = files.of(run.id).await?.iter().map(|file| file.field_path.clone()).collect();
    let mut input = run.input.clone();
    for_each_file(&fields, &mut input, &mut |field_path, value| {
        let is_offered = offered.iter().any(|offered| offered == field_path);
        *value = if is_offered { address(run.id, field_path).into() } else { Value::Null };
    });
    Ok(input)
}

/// The files of earlier runs among these values of a form, as far as they can be used.
pub(in crate::web) async fn offered(
    context: &Context,
    fields: &[FieldInfo],
    values: &Map<String, Value>,
) -> Result<Vec<KeptFile>, Response> {
    let mut files = Files::new(context);
    let mut kept = Vec::new();
    for (_, address) in asked(fields, &mut values.clone()) {
        if let Some(GivenFile { upload, .. }) = files.find(&address).await? {
            kept.push(KeptFile { name: upload.name().to_owned(), size: upload.size(), address });
        }
    }
    Ok(kept)
}

/// The fields and addresses of files of earlier runs.
fn asked(fields: &[FieldInfo], values: &mut Map<String, Value>) -> Vec<(String, String)> {
    let mut asked = Vec::new();
    for_each_file(fields, values, &mut |field_path, value| {
        if let Some(text) = value.as_str().filter(|text| read(text).is_some()) {
            asked.push((field_path.to_owned(), text.to_owned()));
        }
    });
    asked
}

/// Takes the files of earlier runs into a start. The new run has its own, which stay when the earlier run is removed.
pub(in crate::web) async fn take_over(
    context: &Context,
    fields: &[FieldInfo],
    given: &mut StartRequest,
) -> Result<(), Response> {
    let asked = asked(fields, &mut given.values);
    if asked.is_empty() {
        return Ok(());
    }
    let uploads = context.processes.uploads();
    let mut staging = given.files.take().unwrap_or_else(|| uploads.stage());
    let (mut files, mut taken) = (Files::new(context), HashMap::new());
    for (field_path, address) in asked.into_iter().take(context.processes.limits().max_parts) {
        let Some(file) = files.find(&address).await? else { continue };
        match staging.take_over(&file.upload).await {
            Ok(value) => drop(taken.insert(field_path, value)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Problem::of_files(&error).respond(context)),
        }
    }
    let mut errors = FieldErrors::default();
    for_each_file(fields, &mut given.values, &mut |field_path, value| {
        if value.as_str().is_some_and(|text| read(text).is_some()) {
            *value = taken.remove(field_path).unwrap_or_else(|| {
                errors.extend(FieldErrors::from(Message::new("field.file_gone")).within(field_path));
                Value::Null
            });
        }
    });
    given.errors.extend(errors);
    given.files = Some(staging);
    Ok(())
}

/// The files of runs that were looked up for one request.
struct Files<'a> {
    context: &'a Context,
    known: HashMap<RunId, Vec<GivenFile>>,
}

impl<'a> Files<'a> {
    fn new(context: &'a Context) -> Self {
        Self { context, known: HashMap::new() }
    }

    async fn find(&mut self, address: &str) -> Result<Option<&GivenFile>, Response> {
        let Some((run, field_path)) = read(address) else { return Ok(None) };
        Ok(self.of(run).await?.iter().find(|file| file.field_path == field_path))
    }

    /// The files of a run that the visitor may download.
    async fn of(&mut self, id: RunId) -> Result<&[GivenFile], Response> {
        if !self.known.contains_key(&id) && self.known.len() < MAX_RUNS {
            let files = self.read(id).await?;
            self.known.insert(id, files);
        }
        Ok(self.known.get(&id).map_or(&[], Vec::as_slice))
    }

    async fn read(&self, id: RunId) -> Result<Vec<GivenFile>, Response> {
        let context = self.context;
        let found = context.processes.store().run(id).await;
        let found = found.map_err(|error| Problem::of_store(&error).respond(context))?;
        let Some(run) = found else { return Ok(Vec::new()) };
        let Some(process) = context.processes.registry().get(&run.process) else { return Ok(Vec::new()) };
        let may = context.sees(&run).await?
            && context.is_allowed(Some(process), Some(&run), Action::Download).await?;
        let files =
            if may { context.processes.uploads().of_run(&process.fields(), &run) } else { Vec::new() };
        Ok(files.into_iter().filter(|file| file.upload.path().is_file()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_names_run_and_field() {
        let id = RunId::new();
        assert_eq!(read(&address(id, "lines.0.file")), Some((id, "lines.0.file")));
        assert_eq!(read(&format!("/a/b/{}", address(id, "file"))), Some((id, "file")));
        for text in ["", "runs/x/inputs/file", "runs/inputs/file", &format!("xruns/{id}/inputs/file")] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
