//! How far a change has got: pending, in sync, unknown.

use crate::case::{Case, case, create, delete, srv, upsert};

pub fn cases() -> Vec<Case> {
    vec![
        case("status-of-a-create")
            .follow([create(srv("web", "a", 1))], "accepted Pending, Pending, InSync")
            .leaves([srv("web", "a", 1)]),
        case("status-of-two-changes")
            .follow([upsert(srv("web", "a", 1))], "accepted Pending, Pending, InSync")
            .follow([delete(srv("web", "a", 1))], "accepted Pending, Pending, InSync"),
        case("status-of-nothing").status_of("/change/C0UNKNOWN", "no such change"),
    ]
}
