//! Who says so: what is written down with everything that people change in a deployed table.

use anyhow::bail;
use clap::Args;

/// On whose word, and why.
#[derive(Args, Debug)]
pub(crate) struct OnWord {
    /// Why: it is kept with what is changed
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: String,

    /// Who says so [default: $USER]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl OnWord {
    /// Who says so: the name that was given, else the account at this machine.
    pub(crate) fn by(&self) -> anyhow::Result<String> {
        let environment = || {
            ["USER", "LOGNAME", "USERNAME"]
                .into_iter()
                .find_map(|name| std::env::var(name).ok())
        };
        match self.by.clone().or_else(environment).map(|name| name.trim().to_owned()) {
            Some(name) if !name.is_empty() => Ok(name),
            _ => bail!("every change is kept with who made it: say --by NAME"),
        }
    }
}
