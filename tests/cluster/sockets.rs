//! A link in a directory, as the process at the other end of a connection sees it.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use parallel_event_bus::cluster::bridge::{Bridge, Input, To};
use parallel_event_bus::cluster::link::Link as _;
use parallel_event_bus::cluster::link::unix::UnixLink;

use crate::node::{config, id};

const LONG: Duration = Duration::from_secs(60);

/// A directory that goes with the test. Names of pipes are the same everywhere, so each test has numbers of its own.
pub struct Place(pub PathBuf);

impl Place {
    pub fn new(name: &str) -> Self {
        Place(std::env::temp_dir().join(format!("peb-rs-{}-{name}", std::process::id())))
    }

    pub fn open(&self, number: u64) -> UnixLink {
        UnixLink::open(self.0.clone(), id(number)).unwrap()
    }

    pub fn entry(&self, number: u64) -> PathBuf {
        self.0.join(format!("{}.peb", id(number)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Connects to a process as one that may read the directory.
#[cfg(unix)]
fn dial(entry: &Path) -> impl Read + Write + Send + 'static {
    std::os::unix::net::UnixStream::connect(entry).unwrap()
}

#[cfg(windows)]
fn dial(entry: &Path) -> impl Read + Write + Send + 'static {
    let keys = std::fs::read(entry).unwrap();
    let mut pipe = crate::pipes::open(entry);
    pipe.write_all(&keys[..keys.len() / 2]).unwrap();
    pipe
}

pub fn greeting(number: u64) -> Vec<u8> {
    Bridge::new(config(number), 0).greeting()
}

#[test]
fn what_waits_for_a_process_that_does_not_read_is_bounded() {
    let place = Place::new("bounded");
    let mut link = place.open(1);
    let mut socket = dial(&place.entry(1));
    let greeting = greeting(2);
    socket.write_all(&u32::try_from(greeting.len()).unwrap().to_le_bytes()).unwrap();
    socket.write_all(&greeting).unwrap();
    while link.wait(LONG, &greeting).is_empty() {}
    let message = vec![7; 1 << 18];
    (0..400).for_each(|_| link.send(To::Peer(id(2)), message.clone()));
    // Now it reads, all that there is.
    let reader = std::thread::spawn(move || {
        let mut came = Vec::new();
        // A pipe that has ended is an error where one end was lost, and no bytes where it was closed.
        let _ = socket.read_to_end(&mut came);
        came.len()
    });
    link.end(LONG);
    drop(link);
    let came = reader.join().unwrap();
    assert!((32 << 20..72 << 20).contains(&came), "{came} of {} bytes", 400 << 18);
}

#[test]
fn what_is_sent_before_the_end_of_a_link_comes_and_then_its_end_is_known() {
    let place = Place::new("end");
    let mut link = place.open(3);
    let other = other(&place, 4, 3);
    send_much(&mut link, 3, 4);
    link.end(LONG);
    drop(link);
    assert_eq!(other.join().unwrap(), 41);
}

#[test]
fn the_end_of_a_link_is_known_although_bytes_were_under_way() {
    let place = Place::new("cut");
    let mut link = place.open(12);
    let other = other(&place, 13, 12);
    send_much(&mut link, 12, 13);
    link.end(Duration::ZERO);
    drop(link);
    assert!(other.join().unwrap() < 41);
}

/// Opens a link in a thread, which returns the number of messages that come until the end of a process.
fn other(place: &Place, own: u64, peer: u64) -> JoinHandle<usize> {
    let mut link = place.open(own);
    std::thread::spawn(move || {
        let mut inputs = Vec::new();
        while !matches!(inputs.last(), Some(Input::Lost(lost)) if *lost == id(peer)) {
            inputs.extend(link.wait(LONG, &greeting(own)));
        }
        assert!(link.has_met_all());
        inputs.len() - 1
    })
}

/// Sends 40 messages, more than a socket or a pipe holds, as soon as the other process is known.
fn send_much(link: &mut UnixLink, own: u64, to: u64) {
    while link.wait(LONG, &greeting(own)).is_empty() {}
    (0..40).for_each(|_| link.send(To::Peer(id(to)), vec![7; 1 << 18]));
}
