//! Memory for long payloads. Memory that one thread allocates and another frees, over and over, the allocator gives back
//! to the system and gets again, page by page: that takes longer than to copy its contents. So some of it is kept for
//! the next payloads, as long as any is in use.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

/// Number of bytes that are kept at most, and while none is in use.
const MOST_KEPT: usize = 1 << 25;
const FEW_KEPT: usize = 1 << 23;
/// Number of blocks that are kept at most: each that is needed is looked for among them.
const MOST_BLOCKS: usize = 512;
/// Number of bytes of a block that is not kept: to allocate it is no work.
const SMALL: usize = 1 << 12;
/// A block that is this many times as large as is needed is left for something larger.
const MOST_TIMES: usize = 2;

/// Bytes in memory that is kept for others when they are dropped.
pub struct Block(Vec<u8>);

struct Pool {
    free: VecDeque<Vec<u8>>,
    /// Bytes that are free.
    kept: usize,
    /// Number of blocks that there are.
    used: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { free: VecDeque::new(), kept: 0, used: 0 });

impl Block {
    /// Returns an empty block with room for so many bytes; None if there is no memory for it.
    pub fn with_capacity(bytes: usize) -> Option<Self> {
        let free = with_pool(|pool| pool.take(bytes));
        let mut block = Block(free);
        block.0.try_reserve_exact(bytes).ok()?;
        Some(block)
    }

    /// Returns a copy of bytes; None if there is no memory for it.
    pub fn copy(bytes: &[u8]) -> Option<Self> {
        let mut block = Self::with_capacity(bytes.len())?;
        block.0.extend_from_slice(bytes);
        Some(block)
    }
}

impl Pool {
    /// Counts a block. Its memory is empty where none is free.
    fn take(&mut self, bytes: usize) -> Vec<u8> {
        self.used += 1;
        let fits = |free: &Vec<u8>| (bytes..=MOST_TIMES * bytes).contains(&free.capacity());
        let at = self.free.iter().rposition(fits);
        let free = at.and_then(|at| self.free.swap_remove_back(at)).unwrap_or_default();
        self.kept -= free.capacity();
        free
    }

    /// Returns the memory that is not kept, to be freed without the lock.
    fn give_back(&mut self, mut bytes: Vec<u8>) -> Vec<Vec<u8>> {
        self.used -= 1;
        if bytes.capacity() <= SMALL {
            return vec![bytes];
        }
        bytes.clear();
        self.kept += bytes.capacity();
        self.free.push_back(bytes);
        let most = if self.used == 0 { FEW_KEPT } else { MOST_KEPT };
        let mut rest = Vec::new();
        let is_too_much = |pool: &Self| pool.kept > most || pool.free.len() > MOST_BLOCKS;
        while is_too_much(self)
            // The one that was not needed for the longest time.
            && let Some(oldest) = self.free.pop_front()
        {
            self.kept -= oldest.capacity();
            rest.push(oldest);
        }
        rest
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.0);
        drop(with_pool(|pool| pool.give_back(bytes)));
    }
}

impl Deref for Block {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Block {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl AsMut<Vec<u8>> for Block {
    fn as_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl PartialEq for Block {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Block {}

fn with_pool<T>(work: impl FnOnce(&mut Pool) -> T) -> T {
    work(&mut POOL.lock().unwrap_or_else(PoisonError::into_inner))
}
