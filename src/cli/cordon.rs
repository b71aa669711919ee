//! The flags by which an operator gives weights by hand.

use clap::Args;

/// The flags by which an operator gives weights by hand.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Cordon")]
pub struct Cordon {
    /// Give a container (its name or id), a service (_web._tcp), or all of this host another weight, without stopping
    /// anything: 0, or --weight. Until --uncordon, or --for so long; over restarts, too. Full names are left alone.
    #[arg(long, value_name = "WHAT", env = "ECSSD_CORDON")]
    pub cordon: Option<String>,

    /// End a cordon: what it held for has its own weight again.
    #[arg(long, value_name = "WHAT", env = "ECSSD_UNCORDON")]
    pub uncordon: Option<String>,

    /// With --cordon: the weight, 0 to 255. [default: 0]
    #[arg(long, value_name = "N", env = "ECSSD_WEIGHT")]
    pub weight: Option<String>,

    /// With --cordon: end it by itself after so long, 1s to 720h. [default: at --uncordon]
    #[arg(id = "for", long, value_name = "DURATION", env = "ECSSD_FOR")]
    pub lasts: Option<String>,
}

impl Cordon {
    /// Whether a weight is to be given by hand, or ended.
    pub fn is_given(&self) -> bool {
        let given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        given(&self.cordon) || given(&self.uncordon)
    }
}
