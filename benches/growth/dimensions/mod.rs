//! What is doubled: each a function from a size to an input.

mod capacity;
mod configuration;
mod network;
mod own_files;
mod selection;
mod single_object;

use crate::input::Input;
use std::sync::LazyLock;

/// A dimension of the input.
pub(crate) struct Dimension {
    /// What grows.
    pub(crate) name: &'static str,
    /// The input of a size.
    pub(crate) input: fn(usize) -> Input,
}

const fn dimension(name: &'static str, input: fn(usize) -> Input) -> Dimension {
    Dimension { name, input }
}

/// All of them.
pub(crate) static DIMENSIONS: LazyLock<Vec<&'static Dimension>> = LazyLock::new(|| {
    let rooms = [
        selection::ALL,
        capacity::ALL,
        network::ALL,
        configuration::ALL,
        single_object::ALL,
        own_files::ALL,
    ];
    rooms.into_iter().flatten().collect()
});

/// About the square root: for what is a product by nature, so that the product grows with the size.
fn root(size: usize) -> usize {
    size.isqrt() * 4
}
