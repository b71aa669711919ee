//! From what a zone should hold to the calls that make it so.
//!
//! [`ledger`] keeps the desired and the observed records side by side, and their difference is all there is to do;
//! [`writer`] says which call comes next: a batch of it, a read that settles a doubt, or none yet. [`route53_writer`]
//! stands between a writer and the containers whose records it writes. None of them calls a zone; the journal is
//! written through [`crate::journal`].

pub mod ledger;
pub mod route53_writer;
pub mod writer;

#[cfg(test)]
mod tests;
