//! Orders: what may be asked of an agent over its socket, and of no other server's.
//!
//! ```text
//! PUT    /cordons/<container, service or all>?weight=<0 to 255>&seconds=<how long>
//! DELETE /cordons/<container, service or all>
//! ```
//!
//! Both fields may be left out: weight 0, until it is ended. Nobody but the agent's user and root may open the socket,
//! and no browser does; over the network nothing is ever asked for but to be shown.

use std::time::Duration;

use hyper::{Method, Request, StatusCode};
use percent_encoding::percent_decode_str;

use super::answer::Via;
use super::content::{Content, Ordered};
use crate::machine::cordon::{LASTS_MAX, Order, What, Wish};
use crate::serve::web::{Answer, text};

const PATH: &str = "/cordons/";

/// What is asked for by a request, where it is an order; or why that cannot be read.
pub(super) fn order<B>(request: &Request<B>, via: Via) -> Option<Result<Order, String>> {
    let is_off = match *request.method() {
        Method::PUT => false,
        Method::DELETE => true,
        _ => return None,
    };
    let what = request.uri().path().strip_prefix(PATH).filter(|_| via == Via::Socket)?;
    Some(read(what, request.uri().query().unwrap_or_default(), is_off))
}

/// The path and query of an order, as this side reads them.
pub(super) fn path(order: &Order) -> (Method, String) {
    let path = format!("{PATH}{}", order.what.as_str());
    match order.wish {
        Wish::Uncordon => (Method::DELETE, path),
        Wish::Cordon { weight, lasts: None } => (Method::PUT, format!("{path}?weight={weight}")),
        Wish::Cordon { weight, lasts: Some(lasts) } => {
            // What is asked for lasts at least so long.
            let seconds = lasts.as_millis().div_ceil(1_000);
            (Method::PUT, format!("{path}?weight={weight}&seconds={seconds}"))
        }
    }
}

/// Has it carried out.
pub(super) async fn carry_out(order: Result<Order, String>, content: &Content) -> Answer {
    let order = match order {
        Ok(order) => order,
        Err(reason) => return text(StatusCode::BAD_REQUEST, &format!("{reason}\n")),
    };
    let (status, said) = match content.source().order(order).await {
        Ordered::Done(said) => (StatusCode::OK, said),
        Ordered::Refused(said) => (StatusCode::CONFLICT, said),
        Ordered::NotKept(said) => (StatusCode::INSUFFICIENT_STORAGE, said),
        Ordered::NotNow(said) => (StatusCode::SERVICE_UNAVAILABLE, said),
    };
    text(status, &said)
}

fn read(what: &str, query: &str, is_off: bool) -> Result<Order, String> {
    let what = percent_decode_str(what).decode_utf8().map_err(|error| error.to_string())?;
    let what = What::parse(&what).map_err(|error| error.to_string())?;
    let (mut weight, mut lasts) = (0, None);
    for field in query.split('&').filter(|field| !field.is_empty()) {
        match field.split_once('=') {
            Some(("weight", text)) if !is_off => weight = text.parse().map_err(|_| bad(field))?,
            Some(("seconds", text)) if !is_off => {
                let seconds = text.parse().map(Duration::from_secs).map_err(|_| bad(field))?;
                if seconds.is_zero() || seconds > LASTS_MAX {
                    return Err(bad(field));
                }
                lasts = Some(seconds);
            }
            _ => return Err(bad(field)),
        }
    }
    let wish = if is_off { Wish::Uncordon } else { Wish::Cordon { weight, lasts } };
    Ok(Order { what, wish })
}

fn bad(field: &str) -> String {
    format!("{field:?} is neither weight=0 to 255 nor seconds=1 to {} of a PUT", LASTS_MAX.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, uri: &str, via: Via) -> Option<Result<Order, String>> {
        order(&Request::builder().method(method).uri(uri).body(()).unwrap(), via)
    }

    #[test]
    fn what_one_side_writes_the_other_reads() {
        let to = |weight, lasts| Wish::Cordon { weight, lasts };
        for (text, wish) in [
            ("web", Wish::Uncordon),
            ("_web._tcp.sd.internal", to(0, None)),
            ("all", to(255, Some(LASTS_MAX))),
            ("web", to(7, Some(Duration::from_secs(1)))),
        ] {
            let order = Order { what: What::parse(text).unwrap(), wish };
            let (method, path) = path(&order);
            assert_eq!(asked(method.as_str(), &path, Via::Socket), Some(Ok(order.clone())), "{path}");
            assert_eq!(asked(method.as_str(), &path, Via::Network), None, "nothing over the network");
        }
        let short = Wish::Cordon { weight: 0, lasts: Some(Duration::from_millis(1_001)) };
        assert!(path(&Order { what: What::All, wish: short }).1.ends_with("seconds=2"));
    }

    #[test]
    fn whatever_else_is_asked_is_no_order_or_a_bad_one() {
        for (method, uri) in
            [("GET", "/cordons/all"), ("POST", "/cordons/all"), ("PUT", "/"), ("PUT", "/cordons")]
        {
            assert_eq!(asked(method, uri, Via::Socket), None, "{method} {uri}");
        }
        for (method, uri) in [
            ("PUT", "/cordons/"),
            ("PUT", "/cordons/a%20b"),
            ("PUT", "/cordons/%ff"),
            ("PUT", "/cordons/a/b"),
            ("PUT", "/cordons/all?weight=256"),
            ("PUT", "/cordons/all?weight=-1"),
            ("PUT", "/cordons/all?weight"),
            ("PUT", "/cordons/all?seconds=0"),
            ("PUT", "/cordons/all?seconds=99999999999999999999"),
            ("PUT", "/cordons/all?seconds=2592001"),
            ("PUT", "/cordons/all?wieght=1"),
            ("DELETE", "/cordons/all?weight=1"),
        ] {
            assert!(matches!(asked(method, uri, Via::Socket), Some(Err(_))), "{method} {uri}");
        }
    }
}
