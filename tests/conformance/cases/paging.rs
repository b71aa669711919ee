//! Pages: of every size, and where the next one begins.

use ecssd::record::RecordSet;

use crate::case::{Case, a, case, srv};

/// With the apex, seven sets.
pub fn five() -> [RecordSet; 5] {
    [srv("api", "x", 1), srv("web", "a", 1), srv("web", "b", 1), srv("web", "c", 1), a("www", "10.0.0.1")]
}

pub fn cases() -> Vec<Case> {
    sizes().into_iter().chain(nexts()).chain(beyond_a_page()).collect()
}

fn sizes() -> Vec<Case> {
    let paged = |name, size, shown| case(name).given(five()).pages(size, shown).leaves(five());
    vec![
        paged(
            "pages-of-1",
            1,
            "@ NS / @ SOA / api.@ SRV x / web.@ SRV a / web.@ SRV b / web.@ SRV c / www.@ A",
        ),
        paged("pages-of-2", 2, "@ NS, @ SOA / api.@ SRV x, web.@ SRV a / web.@ SRV b, web.@ SRV c / www.@ A"),
        paged("pages-of-3", 3, "@ NS, @ SOA, api.@ SRV x / web.@ SRV a, web.@ SRV b, web.@ SRV c / www.@ A"),
        paged(
            "pages-of-one-less",
            6,
            "@ NS, @ SOA, api.@ SRV x, web.@ SRV a, web.@ SRV b, web.@ SRV c / www.@ A",
        ),
        paged("pages-of-all", 7, "@ NS, @ SOA, api.@ SRV x, web.@ SRV a, web.@ SRV b, web.@ SRV c, www.@ A"),
        paged(
            "pages-of-one-more",
            8,
            "@ NS, @ SOA, api.@ SRV x, web.@ SRV a, web.@ SRV b, web.@ SRV c, www.@ A",
        ),
    ]
}

fn nexts() -> Vec<Case> {
    vec![
        case("next-is-simple")
            .given(five())
            .first_page(1, "@ NS, next @ SOA")
            .first_page(6, "@ NS, @ SOA, api.@ SRV x, web.@ SRV a, web.@ SRV b, web.@ SRV c, next www.@ A")
            .leaves(five()),
        case("next-has-an-identifier")
            .given(five())
            .first_page(2, "@ NS, @ SOA, next api.@ SRV x")
            .first_page(3, "@ NS, @ SOA, api.@ SRV x, next web.@ SRV a")
            .leaves(five()),
        case("next-is-in-the-middle-of-a-name")
            .given(five())
            .first_page(4, "@ NS, @ SOA, api.@ SRV x, web.@ SRV a, next web.@ SRV b")
            .leaves(five()),
        case("next-is-nothing")
            .given(five())
            .first_page(7, "@ NS, @ SOA, api.@ SRV x, web.@ SRV a, web.@ SRV b, web.@ SRV c, www.@ A")
            .leaves(five()),
    ]
}

/// `count` sets in groups of a hundred at most.
fn many(count: usize) -> impl Iterator<Item = RecordSet> {
    (0..count).map(|n| srv(&format!("s{}", n / 100), &format!("i{:02}", n % 100), 1))
}

fn beyond_a_page() -> Vec<Case> {
    vec![
        case("list-of-300")
            .given(many(298))
            .first_page(300, "300 sets")
            .first_page(1_000, "300 sets")
            .leaves(many(298)),
        case("list-of-301")
            .given(many(299))
            .first_page(300, "300 sets, next s2.@ SRV i98")
            .first_page(301, "300 sets, next s2.@ SRV i98")
            .pages(300, "300 sets / s2.@ SRV i98")
            .leaves(many(299)),
        case("list-of-more-than-a-page-may-hold")
            .given(many(400))
            .first_page(1_000, "300 sets, next s2.@ SRV i98")
            .pages(1_000, "300 sets / 102 sets")
            .leaves(many(400)),
        case("pages-through-a-group")
            .given(many(100))
            .pages(34, "34 sets / 34 sets / 34 sets")
            .leaves(many(100)),
    ]
}
