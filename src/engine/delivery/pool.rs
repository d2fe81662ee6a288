//! Memory of batches that are gone, for those to come. Memory that one thread allocates and another frees,
//! over and over, the allocator gives back to the system and gets again, page by page.

use std::sync::{Mutex, PoisonError};

/// Capacity of a new one, in words.
const FIRST: usize = 1_024;
/// Larger memory is not kept, nor more than so many; and while there is no batch, only a few.
const LARGEST: usize = 1 << 15;
const MOST: usize = 64;
const FEW: usize = 16;

struct Pool {
    free: Vec<Vec<u32>>,
    /// Number of batches that there are.
    used: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { free: Vec::new(), used: 0 });

pub fn take() -> Vec<u32> {
    let free = {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        pool.used += 1;
        pool.free.pop()
    };
    free.unwrap_or_else(|| Vec::with_capacity(FIRST))
}

pub fn give_back(mut words: Vec<u32>) {
    words.clear();
    let keeps = words.capacity() <= LARGEST;
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    pool.used -= 1;
    if keeps && pool.free.len() < MOST {
        pool.free.push(words);
    }
    if pool.used == 0 && pool.free.len() > FEW {
        pool.free.truncate(FEW);
        pool.free.shrink_to_fit();
    }
}
