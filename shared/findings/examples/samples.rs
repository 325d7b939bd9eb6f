//! One OCSF finding a line, for every family, service, kind of identity and cause: what conformance tests validate.

#[path = "../tests/samples/mod.rs"]
mod samples;

fn main() {
    for finding in samples::every() {
        println!("{}", tripmeter_findings::ocsf(&finding));
    }
}
