//! A DynamoDB of one's own for a test: an embedded server on a loopback port, the real client, both tables.
//!
//! It answers as DynamoDB does, but it is never throttled, and no two transactions meet in it: what the network and a
//! busy table do to a call is played by an interceptor ([`Local::client_with`]).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), aws_sdk_dynamodb::Error> {
//! let local = tripmeter_aws::testing::Local::start().await;
//! let table = local.dynamodb().describe_table().table_name(local.state_table()).send().await?;
//! assert!(table.table.is_some());
//! # Ok(())
//! # }
//! ```

#![expect(clippy::expect_used, reason = "without its database a test cannot go on")]

use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Credentials, HttpClient, Intercept, Region};
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TimeToLiveSpecification,
};
use dynoxide::Database;
use tokio::runtime;
use tokio::sync::oneshot;

use crate::config;

const STATE_TABLE: &str = "tripmeter-state";
const FINDINGS_TABLE: &str = "tripmeter-findings";
const REGION: &str = "eu-west-1";

/// A database, for as long as this is kept.
#[derive(Debug)]
pub struct Local {
    endpoint_url: String,
    dynamodb: Client,
    /// Dropping it ends the server.
    _running: oneshot::Sender<()>,
}

impl Local {
    /// Starts it, with the state table and the findings table as the template creates them (without the stream).
    ///
    /// # Panics
    /// When the machine has no loopback port left, or the tables cannot be created.
    pub async fn start() -> Self {
        let (endpoint_url, running) = serve();
        let dynamodb = Client::from_conf(settings(&endpoint_url).build());
        create_state_table(&dynamodb).await;
        create_findings_table(&dynamodb).await;
        Self {
            endpoint_url,
            dynamodb,
            _running: running,
        }
    }

    /// A client, with the retries and timeouts of production.
    pub fn dynamodb(&self) -> Client {
        self.dynamodb.clone()
    }

    /// A client whose calls pass through an interceptor, which may fail them, or lose their answers.
    pub fn client_with(&self, interceptor: impl Intercept + 'static) -> Client {
        Client::from_conf(settings(&self.endpoint_url).interceptor(interceptor).build())
    }

    /// A client whose requests a connector of the test's own carries. It has no timeouts: how long a request waits is the
    /// connector's affair.
    pub fn client_over(&self, http: impl HttpClient + 'static) -> Client {
        let settings = settings(&self.endpoint_url).timeout_config(TimeoutConfig::disabled());
        Client::from_conf(settings.http_client(http).build())
    }

    /// Where it listens, for a program that is run.
    pub fn endpoint_url(&self) -> &str {
        &self.endpoint_url
    }

    /// The state table's name.
    pub fn state_table(&self) -> &'static str {
        STATE_TABLE
    }

    /// The findings table's name.
    pub fn findings_table(&self) -> &'static str {
        FINDINGS_TABLE
    }
}

/// Serves from a thread of its own, so that a test may also wait for a program.
fn serve() -> (String, oneshot::Sender<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port is free");
    let address = listener.local_addr().expect("a listener has an address");
    listener.set_nonblocking(true).expect("a listener need not block");
    let (running, ended) = oneshot::channel::<()>();
    thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be built").block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("the runtime takes a listener");
            let database = Database::memory().expect("memory holds a database");
            tokio::select! {
                served = dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()) => {
                    served.expect("the server serves");
                }
                // The test is over: nobody waits for what is under way.
                _ = ended => {}
            }
        });
    });
    (format!("http://{address}"), running)
}

fn settings(endpoint_url: &str) -> Builder {
    aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new("local", "local", None, None, "testing"))
        .endpoint_url(endpoint_url)
        .retry_config(config::retries())
        .timeout_config(config::timeouts())
}

async fn create_state_table(dynamodb: &Client) {
    let table = dynamodb.create_table().table_name(STATE_TABLE);
    let table = attributes(table, &[("pk", ScalarAttributeType::S), ("sk", ScalarAttributeType::S)]);
    create(dynamodb, STATE_TABLE, table.set_key_schema(Some(keys("pk", "sk")))).await;
}

async fn create_findings_table(dynamodb: &Client) {
    let table = dynamodb.create_table().table_name(FINDINGS_TABLE);
    let table = attributes(
        table,
        &[
            ("account", ScalarAttributeType::S),
            ("uid", ScalarAttributeType::S),
            ("pending", ScalarAttributeType::S),
            ("updated", ScalarAttributeType::N),
            ("open", ScalarAttributeType::S),
            ("last_seen", ScalarAttributeType::N),
        ],
    );
    let table = table
        .set_key_schema(Some(keys("account", "uid")))
        .global_secondary_indexes(index("pending", "updated"))
        .global_secondary_indexes(index("open", "last_seen"));
    create(dynamodb, FINDINGS_TABLE, table).await;
}

async fn create(dynamodb: &Client, name: &str, table: CreateTableFluentBuilder) {
    let table = table.billing_mode(BillingMode::PayPerRequest);
    table.send().await.expect("the table can be created");
    let expires = TimeToLiveSpecification::builder()
        .attribute_name("expires")
        .enabled(true)
        .build();
    dynamodb
        .update_time_to_live()
        .table_name(name)
        .time_to_live_specification(expires.expect("it is complete"))
        .send()
        .await
        .expect("items can expire");
}

fn attributes(table: CreateTableFluentBuilder, named: &[(&str, ScalarAttributeType)]) -> CreateTableFluentBuilder {
    named.iter().fold(table, |table, (name, scalar)| {
        let definition = AttributeDefinition::builder()
            .attribute_name(*name)
            .attribute_type(scalar.clone())
            .build();
        table.attribute_definitions(definition.expect("it is complete"))
    })
}

fn index(partition: &str, sort: &str) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(partition)
        .set_key_schema(Some(keys(partition, sort)))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .expect("it is complete")
}

fn keys(partition: &str, sort: &str) -> Vec<KeySchemaElement> {
    [(partition, KeyType::Hash), (sort, KeyType::Range)]
        .map(|(name, role)| {
            let key = KeySchemaElement::builder().attribute_name(name).key_type(role);
            key.build().expect("it is complete")
        })
        .into()
}
