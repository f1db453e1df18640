//! The data folder of this node, as the nodes that share a store know it: its id, which stays, and the name of the node.

use std::fs;
use std::io;
use std::path::Path;

use crate::folder;
use crate::identity::HomeId;

/// The file in the data folder that has the id.
const FILE: &str = "home";

/// Where files and secrets of runs are kept on this node.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub(crate) id: HomeId,
    /// For people.
    pub(crate) name: String,
}

impl Home {
    /// Reads the id of the folder, or gives it one. Without a name, the node is called by the end of that id.
    pub(crate) fn of(data: &Path, name: Option<String>) -> io::Result<Self> {
        let file = data.join(FILE);
        let id = match fs::read_to_string(&file) {
            Ok(text) => text.trim().parse().map_err(|_| {
                let text =
                    format!("{} contains no id: restore it from a backup, or remove it", file.display());
                io::Error::new(io::ErrorKind::InvalidData, text)
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let id = HomeId::new();
                folder::write_whole(data, FILE, format!("{id}\n").as_bytes())?;
                id
            }
            Err(error) => return Err(error),
        };
        let text = id.to_string();
        let name = name.unwrap_or_else(|| text.rsplit('-').next().unwrap_or(&text).to_owned());
        Ok(Self { id, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_keeps_its_id() {
        let folder = std::env::temp_dir().join(format!("home-{}", std::process::id()));
        let first = Home::of(&folder, Some("left".to_owned())).unwrap();
        let again = Home::of(&folder, None).unwrap();
        assert_eq!((first.id, first.name.as_str()), (again.id, "left"));
        assert!(again.id.to_string().ends_with(&again.name) && again.name.len() == 12, "{}", again.name);
        fs::write(folder.join(FILE), "nonsense").unwrap();
        assert!(Home::of(&folder, None).unwrap_err().to_string().contains("contains no id"));
        fs::remove_dir_all(folder).unwrap();
    }
}
