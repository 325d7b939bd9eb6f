//! What an account holds by key: all there is in a replay, and what was fetched where the state lies in a table.
//!
//! A key that was never fetched is not known to be absent. Asking for it is noted, so that whoever judges can fetch
//! it and judge anew: what came of judging without it is worth nothing.

use std::cell::RefCell;
use std::collections::hash_map::{self, HashMap};
use std::collections::{BTreeSet, HashSet};
use std::hash::Hash;

/// See the module's docs.
#[derive(Clone, Debug)]
pub(crate) struct Shelf<K, V> {
    held: HashMap<K, V>,
    /// Keys that were fetched, whether there was something or not; `None` where all there is is held.
    fetched: Option<HashSet<K>>,
    missed: RefCell<BTreeSet<K>>,
}

impl<K: Copy + Eq + Hash + Ord, V> Shelf<K, V> {
    /// A shelf that holds all there is.
    pub(crate) fn whole() -> Self {
        Self {
            held: HashMap::new(),
            fetched: None,
            missed: RefCell::default(),
        }
    }

    /// A shelf to which nothing was fetched yet.
    pub(crate) fn unfetched() -> Self {
        Self {
            fetched: Some(HashSet::new()),
            ..Self::whole()
        }
    }

    /// Puts down what was fetched for a key.
    pub(crate) fn put(&mut self, key: K, value: Option<V>) {
        if let Some(fetched) = &mut self.fetched {
            fetched.insert(key);
        }
        if let Some(value) = value {
            self.held.insert(key, value);
        }
    }

    /// Keys that were asked for and never fetched.
    pub(crate) fn missed(&self) -> Vec<K> {
        self.missed.borrow().iter().copied().collect()
    }

    fn ask(&self, key: &K) {
        if self.fetched.as_ref().is_some_and(|fetched| !fetched.contains(key)) {
            self.missed.borrow_mut().insert(*key);
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let value = self.held.get(key);
        if value.is_none() {
            self.ask(key);
        }
        value
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if self.fetched.is_some() {
            self.ask(key);
        }
        self.held.get_mut(key)
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn entry(&mut self, key: K) -> hash_map::Entry<'_, K, V> {
        if self.fetched.is_some() {
            self.ask(&key);
        }
        self.held.entry(key)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.held.remove(key)
    }

    /// How many are held.
    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    /// What is held, in no order.
    pub(crate) fn iter(&self) -> hash_map::Iter<'_, K, V> {
        self.held.iter()
    }

    /// Forgets what is held and does not pass.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&K, &mut V) -> bool) {
        self.held.retain(keep);
    }

    /// The keys of what is held and passes, in order.
    pub(crate) fn keys_where(&self, pass: impl Fn(&K, &V) -> bool) -> Vec<K> {
        let mut keys: Vec<K> = self.held.iter().filter(|(k, v)| pass(k, v)).map(|(k, _)| *k).collect();
        keys.sort_unstable();
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_fetched_is_asked_for_and_what_was_found_absent_is_not() {
        let mut shelf: Shelf<u8, &str> = Shelf::unfetched();
        shelf.put(1, Some("one"));
        shelf.put(2, None);
        assert_eq!(
            (shelf.get(&1), shelf.get(&2), shelf.get(&3)),
            (Some(&"one"), None, None)
        );
        assert_eq!(shelf.missed(), [3]);
    }

    #[test]
    fn a_whole_shelf_misses_nothing() {
        let shelf: Shelf<u8, &str> = Shelf::whole();
        assert_eq!(shelf.get(&1), None);
        assert_eq!(shelf.missed(), [0u8; 0]);
    }
}
