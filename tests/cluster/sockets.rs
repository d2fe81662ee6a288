//! A link over Unix sockets, as the process at the other end of one sees it.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use parallel_event_bus::cluster::bridge::{Bridge, To};
use parallel_event_bus::cluster::link::Link as _;
use parallel_event_bus::cluster::link::unix::UnixLink;

use crate::node::{config, id};

#[test]
fn what_waits_for_a_process_that_does_not_read_is_bounded() {
    let directory = std::env::temp_dir().join(format!("peb-rs-{}", std::process::id()));
    let mut link = UnixLink::open(directory.clone(), id(1)).unwrap();
    let mut socket = UnixStream::connect(directory.join(format!("{}.peb", id(1)))).unwrap();
    let greeting = Bridge::new(config(2), 0).greeting();
    socket.write_all(&u32::try_from(greeting.len()).unwrap().to_le_bytes()).unwrap();
    socket.write_all(&greeting).unwrap();
    while link.wait(Duration::from_secs(60), &greeting).is_empty() {}
    let message = vec![7; 1 << 18];
    (0..400).for_each(|_| link.send(To::Peer(id(2)), message.clone()));
    // Now it reads, all that there is.
    socket.set_nonblocking(true).unwrap();
    let (mut buffer, mut came, mut idle) = (vec![0; 1 << 20], 0, 0);
    while idle < 2 {
        match socket.read(&mut buffer) {
            Ok(count) => (came, idle) = (came + count, 0),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                link.wait(Duration::ZERO, &greeting);
                idle += 1;
            }
        }
    }
    assert!((32 << 20..72 << 20).contains(&came), "{came} of {} bytes", 400 << 18);
    drop(link);
    std::fs::remove_dir_all(directory).unwrap();
}
