//! Bytes are what the metadata service and the ECS agent answer, one after another: parts that end with a NUL, of which
//! the first octet says in which way it is answered. Whatever it is, an instance is one that can be an owner, and
//! an address one that can be a target.
#![no_main]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};

use ecssd::edge::engine::{EcsIntrospection, Tasks};
use ecssd::edge::host::notices::parse;
use ecssd::edge::imds::Imds;
use ecssd::record::{Owner, is_target};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let _ = (parse::spot(&text), parse::rebalance(&text), parse::lifecycle(&text), parse::system(&text));
    let Some((whom, answers)) = data.split_first() else { return };
    let service = service();
    *service.answers.lock().expect("nobody panicked") =
        answers.split(|octet| *octet == 0).map(<[u8]>::to_vec).collect();
    service.runtime.block_on(async {
        if whom % 2 == 0 {
            let Ok(instance) = service.imds.instance().await else { return };
            assert!(Owner::new(&instance.id).is_ok() && is_target(instance.address), "{instance:?}");
        } else {
            let id = ID.parse().expect("an id");
            let address = service.introspection.address(&id).await;
            assert!(address.is_err() || address.is_ok_and(|address| address.is_none_or(is_target)));
            let _ = service.introspection.is_to_stop(&id).await;
            let _ = service.introspection.container_instance().await;
        }
    });
});

struct Service {
    runtime: Runtime,
    answers: Arc<Mutex<VecDeque<Vec<u8>>>>,
    imds: Imds,
    introspection: EcsIntrospection,
}

fn service() -> &'static Service {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    SERVICE.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let answers: Arc<Mutex<VecDeque<Vec<u8>>>> = Arc::default();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        runtime.spawn(serve(listener, answers.clone()));
        let imds = Imds::at(&url).expect("a client");
        let introspection = EcsIntrospection::new(&url, None).expect("a client");
        Service { runtime, answers, imds, introspection }
    })
}

async fn serve(listener: TcpListener, answers: Arc<Mutex<VecDeque<Vec<u8>>>>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let answers = answers.clone();
        tokio::spawn(async move {
            let mut request = [0; 4 << 10];
            while stream.read(&mut request).await.is_ok_and(|length| length > 0) {
                let next = answers.lock().expect("nobody panicked").pop_front();
                let answer = next.map_or_else(|| http(404, b""), |part| answer(&part));
                if stream.write_all(&answer.0).await.is_err() || answer.1 {
                    return;
                }
            }
        });
    }
}

/// An answer, and whether it is the last one of its connection.
fn answer(part: &[u8]) -> (Vec<u8>, bool) {
    match part.split_first() {
        Some((b'4', body)) => http(404, body),
        Some((b'3', body)) => http(403, body),
        Some((b'5', body)) => http(500, body),
        Some((b'h', raw)) => (raw.to_vec(), true),
        Some((_, body)) => http(200, body),
        None => http(200, b""),
    }
}

fn http(status: u16, body: &[u8]) -> (Vec<u8>, bool) {
    let head = format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n\r\n", body.len());
    ([head.as_bytes(), body].concat(), false)
}
