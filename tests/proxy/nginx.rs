//! An nginx: its configuration in a folder that disappears, on a free port, gone at the end of the test.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// Where Debian has it, which is on the `PATH` of root alone.
const SBIN: &str = "/usr/sbin";

/// The nginx program, if it is installed.
pub(crate) fn program() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut all = env::split_paths(&path).chain([SBIN.into()]).map(|folder| folder.join("nginx"));
    all.find(|path| path.is_file())
}

pub(crate) struct Nginx {
    port: u16,
    folder: TempDir,
    child: Child,
}

impl Nginx {
    /// An nginx with one server. `listen` follows the port, `rest` contains its other directives; otherwise nginx's
    /// defaults apply.
    pub(crate) fn start(listen: &str, rest: &str) -> Self {
        let folder = TempDir::new().unwrap();
        // Another test may take the port before nginx does.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            fs::write(folder.path().join("nginx.conf"), configuration(folder.path(), port, listen, rest))
                .unwrap();
            if let Some(child) = spawn(folder.path()) {
                return Self { port, folder, child };
            }
        }
        panic!("nginx does not start: {}", error_log(folder.path()));
    }

    /// An nginx that forwards everything to a program on this port, with default settings.
    pub(crate) fn before(port: u16) -> Self {
        Self::start("", &format!("location / {{ proxy_pass http://127.0.0.1:{port}; }}"))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// As `kill -9` does it: every connection breaks off.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The same again, on the same port.
    pub(crate) fn start_again(&mut self) {
        let child = spawn(self.folder.path());
        self.child = child.unwrap_or_else(|| panic!("nginx is gone: {}", error_log(self.folder.path())));
    }

    /// For each answered request: its connection, its HTTP version, and its target.
    pub(crate) fn requests(&self) -> Vec<[String; 3]> {
        let log = fs::read_to_string(self.folder.path().join("access.log")).unwrap();
        let line =
            |line: &str| <[String; 3]>::try_from(line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        log.lines().map(|text| line(text).unwrap()).collect()
    }
}

/// No test leaves an nginx behind.
impl Drop for Nginx {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts it, and waits until it listens; `None` when it ends instead.
fn spawn(folder: &Path) -> Option<Child> {
    // nginx writes it once it has the port. Connecting instead might reach another test.
    let pid = folder.join("pid");
    let _ = fs::remove_file(&pid);
    let mut command = Command::new(program().unwrap());
    command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf"));
    // Output before it has read the path of its log.
    command.stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    for _ in 0..500 {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        if pid.exists() {
            return Some(child);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

fn error_log(folder: &Path) -> String {
    fs::read_to_string(folder.join("error.log")).unwrap_or_default()
}

/// All files are in its folder; everything else has defaults.
fn configuration(folder: &Path, port: u16, listen: &str, rest: &str) -> String {
    let folder = folder.display();
    format!(
        "daemon off;
        master_process off;
        pid {folder}/pid;
        error_log {folder}/error.log;
        events {{}}
        http {{
            log_format asked '$connection $server_protocol $request_uri';
            access_log {folder}/access.log asked;
            client_body_temp_path {folder}/body;
            proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi;
            scgi_temp_path {folder}/scgi;
            server {{
                listen 127.0.0.1:{port} {listen};
                {rest}
            }}
        }}"
    )
}
