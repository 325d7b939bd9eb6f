//! Trails: those of the account and of its organisation, whether they log, and what they record.

use std::collections::BTreeMap;

use aws_sdk_cloudtrail::operation::get_event_selectors::GetEventSelectorsOutput;
use aws_sdk_cloudtrail::{Client, types};
use tripmeter_doctor::{AdvancedSelector, BasicSelector, FieldSelector, Selectors, Trail};

use crate::asker::Asker;
use crate::calls::Call;

/// Every trail that is seen from one of the regions; one of a single region is seen there alone.
pub(crate) async fn read(asker: &Asker, regions: &[String]) -> Option<Vec<Trail>> {
    let mut described: BTreeMap<String, types::Trail> = BTreeMap::new();
    let mut answered = false;
    for region in regions {
        let client = Client::new(&asker.config_in(region));
        let answer = client.describe_trails().send().await;
        let Some(page) = asker.answer(Call::DescribeTrails, Some(region), answer) else {
            continue;
        };
        answered = true;
        for trail in page.trail_list() {
            described
                .entry(trail.trail_arn().unwrap_or_default().to_owned())
                .or_insert_with(|| trail.clone());
        }
    }
    if !answered {
        return None;
    }
    let mut trails = Vec::new();
    for (arn, trail) in described {
        trails.push(one(asker, &arn, &trail).await);
    }
    Some(trails)
}

async fn one(asker: &Asker, arn: &str, trail: &types::Trail) -> Trail {
    let home = trail.home_region().unwrap_or_default();
    let client = Client::new(&asker.config_in(home));
    let status = client.get_trail_status().name(arn).send().await;
    let status = asker.answer(Call::GetTrailStatus, Some(home), status);
    let selectors = client.get_event_selectors().trail_name(arn).send().await;
    let selectors = asker.answer(Call::GetEventSelectors, Some(home), selectors);
    Trail {
        name: trail.name().unwrap_or_default().to_owned(),
        home: home.to_owned(),
        every_region: trail.is_multi_region_trail().unwrap_or_default(),
        of_organisation: trail.is_organization_trail().unwrap_or_default(),
        logging: status.and_then(|status| status.is_logging()),
        selectors: selectors.as_ref().map(of_trail),
    }
}

fn of_trail(selectors: &GetEventSelectorsOutput) -> Selectors {
    let advanced = selectors.advanced_event_selectors();
    if advanced.is_empty() {
        Selectors::Basic(selectors.event_selectors().iter().map(basic).collect())
    } else {
        Selectors::Advanced(advanced.iter().map(self::advanced).collect())
    }
}

fn basic(selector: &types::EventSelector) -> BasicSelector {
    let kinds = selector.read_write_type().unwrap_or(&types::ReadWriteType::All);
    BasicSelector {
        reads: *kinds != types::ReadWriteType::WriteOnly,
        writes: *kinds != types::ReadWriteType::ReadOnly,
        management: selector.include_management_events().unwrap_or(true),
        excluded: selector.exclude_management_event_sources().to_vec(),
    }
}

fn advanced(selector: &types::AdvancedEventSelector) -> AdvancedSelector {
    let field = |field: &types::AdvancedFieldSelector| FieldSelector {
        field: field.field().to_owned(),
        equals: field.equals().to_vec(),
        not_equals: field.not_equals().to_vec(),
        starts_with: field.starts_with().to_vec(),
        not_starts_with: field.not_starts_with().to_vec(),
        ends_with: field.ends_with().to_vec(),
        not_ends_with: field.not_ends_with().to_vec(),
    };
    AdvancedSelector {
        fields: selector.field_selectors().iter().map(field).collect(),
    }
}
