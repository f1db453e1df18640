//! The data folder of the examples, which is created if it is missing.

use std::fs;
use std::path::Path;

use crate::catalog::Catalog;
use crate::error::Error;
use crate::generate;
use crate::site::Site;
use crate::users::Users;

/// Everything the examples share with their processes.
#[derive(Debug)]
pub struct Data {
    /// The products, in `catalog.sqlite3`.
    pub catalog: Catalog,
    /// The users, from `users.csv` into `users.sqlite3`.
    pub users: Users,
    /// The files to back up, in `site`.
    pub site: Site,
}

impl Data {
    /// Opens the data in this folder, and creates what is missing.
    ///
    /// # Errors
    ///
    /// When the folder cannot be created or used.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::file("create the folder", folder))?;
        let csv = folder.join("users.csv");
        if !csv.exists() {
            create_users_file(&csv)?;
        }
        let site = folder.join("site");
        if !site.exists() {
            create_site(&site)?;
        }
        Ok(Self {
            catalog: Catalog::open(&folder.join("catalog.sqlite3"))?,
            users: Users::open(&folder.join("users.sqlite3"), &csv)?,
            site: Site::new(&site),
        })
    }
}

// Both are created under a temporary name first, so that they are complete even after a power failure.

fn create_users_file(path: &Path) -> Result<(), Error> {
    let unfinished = path.with_extension("csv.new");
    let failed = || Error::file("create", path);
    fs::write(&unfinished, generate::users_file().bytes).map_err(failed())?;
    fs::rename(&unfinished, path).map_err(failed())
}

fn create_site(path: &Path) -> Result<(), Error> {
    let unfinished = path.with_extension("new");
    let failed = || Error::file("create", path);
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(failed())?;
    }
    for file in generate::site() {
        let path = unfinished.join(file.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed())?;
        }
        fs::write(&path, file.content).map_err(failed())?;
    }
    fs::rename(&unfinished, path).map_err(failed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn missing_files_created_existing_files_kept() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("new/folder");
        let data = Data::open(&folder).unwrap();
        assert_eq!(data.catalog.products().await.unwrap().len(), generate::PRODUCTS);
        assert_eq!(data.site.files().unwrap().len(), generate::SITE_FILES);
        assert_eq!(fs::read(data.users.file()).unwrap(), generate::users_file().bytes);
        drop(data);

        fs::write(folder.join("users.csv"), "mine").unwrap();
        fs::remove_dir_all(folder.join("site")).unwrap();
        fs::create_dir_all(folder.join("site.new/half")).unwrap();
        let data = Data::open(&folder).unwrap();
        assert_eq!(fs::read(data.users.file()).unwrap(), b"mine");
        assert_eq!(data.site.files().unwrap().len(), generate::SITE_FILES);
        assert!(!folder.join("site.new").exists() && !folder.join("site/half").exists());
    }

    #[test]
    fn unusable_data_folder_is_an_error() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        let message = Data::open(&file.join("data")).unwrap_err().to_string();
        assert!(message.starts_with("could not create the folder data: "), "{message}");
    }
}
