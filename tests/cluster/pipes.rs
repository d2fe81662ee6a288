//! Named pipes of Windows: others can list and open them, but only processes that can read the directory take part.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use parallel_event_bus::cluster::link::Link as _;

use crate::sockets::{Place, greeting};

/// Opens the pipe of a process.
pub fn open(entry: &Path) -> File {
    let name = entry.file_stem().unwrap().to_str().unwrap();
    OpenOptions::new().read(true).write(true).open(format!(r"\\.\pipe\peb-{name}")).unwrap()
}

#[test]
fn a_program_without_the_key_hears_nothing_and_is_nobody() {
    let place = Place::new("stranger");
    let mut link = place.open(5);
    let mut stranger = open(&place.entry(5));
    stranger.write_all(&[7; 16]).unwrap();
    stranger.write_all(&u32::try_from(greeting(6).len()).unwrap().to_le_bytes()).unwrap();
    stranger.write_all(&greeting(6)).unwrap();
    let reader = std::thread::spawn(move || {
        let mut came = Vec::new();
        let _ = stranger.read_to_end(&mut came);
        came
    });
    while !reader.is_finished() {
        assert!(link.wait(Duration::from_millis(1), &greeting(5)).is_empty());
    }
    assert!(reader.join().unwrap().is_empty());
}

#[test]
fn a_pipe_with_the_name_of_another_process_is_not_believed() {
    let (place, elsewhere) = (Place::new("believing"), Place::new("elsewhere"));
    let mut impostor = elsewhere.open(8);
    // It takes the key of this process, and has not the one that is expected.
    let mut keys = fs::read(elsewhere.entry(8)).unwrap();
    keys[31] ^= 1;
    fs::create_dir_all(&place.0).unwrap();
    fs::write(place.entry(8), keys).unwrap();
    let mut link = place.open(7);
    let mut is_connected = false;
    while !(is_connected && link.has_met_all()) {
        assert!(impostor.wait(Duration::from_millis(1), &greeting(8)).is_empty());
        assert!(link.wait(Duration::from_millis(1), &greeting(7)).is_empty());
        is_connected |= !link.has_met_all();
    }
}

#[test]
fn files_of_processes_that_are_gone_are_removed() {
    let place = Place::new("gone");
    let (gone, strange) = (place.entry(10), place.entry(11));
    fs::create_dir_all(&place.0).unwrap();
    fs::write(&gone, [7; 32]).unwrap();
    fs::write(&strange, "no keys").unwrap();
    let mut link = place.open(9);
    link.wait(Duration::ZERO, &greeting(9));
    assert!(link.has_met_all());
    assert!(!gone.exists() && strange.exists() && place.entry(9).exists());
}
