//! A memory of weights given by hand that outlives the agents that a test starts one after the other.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use ecssd::journal::cordons::{CordonMemory, KeepError, Keeping};
use ecssd::machine::cordon::Cordon;

/// A memory. A clone is the same one.
#[derive(Clone)]
pub struct Remembered {
    all: Arc<Mutex<Vec<Cordon>>>,
    wall: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    /// Why nothing is kept, if so.
    broken: Option<&'static str>,
}

impl Remembered {
    /// One by this clock.
    pub fn by(wall: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { all: Arc::default(), wall: Arc::new(wall), broken: None }
    }

    /// The same, on a disk that takes nothing.
    #[must_use]
    pub fn broken(self, why: &'static str) -> Self {
        Self { broken: Some(why), ..self }
    }

    /// Those that are remembered.
    pub fn all(&self) -> Vec<Cordon> {
        self.all.lock().unwrap().clone()
    }

    /// Forgets them all.
    pub fn forget(&self) {
        self.all.lock().unwrap().clear();
    }
}

impl CordonMemory for Remembered {
    fn load(&self) -> Vec<Cordon> {
        self.all()
    }

    fn keep(&self, all: Vec<Cordon>) -> Keeping {
        let broken = self.broken;
        *self.all.lock().unwrap() = all;
        Box::pin(async move { broken.map_or(Ok(()), |why| Err(KeepError(why.to_owned()))) })
    }

    fn wall_clock(&self) -> SystemTime {
        (self.wall)()
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remembered").field(&self.all()).finish()
    }
}
