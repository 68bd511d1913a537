//! What some workflows expand to.

use proc_macro2::TokenStream;

fn expanded(function: &str) -> String {
    let expanded = super::expand(TokenStream::new(), function.parse().unwrap());
    prettyplease::unparse(&syn::parse2(expanded).unwrap())
}

#[test]
fn tutorial() {
    insta::assert_snapshot!(expanded(
        r#"
        async fn research_workflow(ctx: &mut Context, topic: String) -> Result<String, WorkflowError> {
            let findings = research(topic).await?;
            let approved = ctx.wait_for_signal::<bool>("approval", Duration::from_hours(24)).await?;
            if !approved {
                return Ok("Workflow rejected by reviewer.".into());
            }
            let report = write_report(findings).await?;
            Ok(report)
        }
        "#
    ));
}

#[test]
fn loop_with_a_match() {
    insta::assert_snapshot!(expanded(
        r#"
        async fn pay_all(ctx: &mut Context, bills: Vec<Bill>) -> Result<u32, WorkflowError> {
            let mut paid = 0;
            for bill in bills {
                match pay(bill.id).await {
                    Ok(_) => paid += 1,
                    Err(error) if error.is_timed_out() => continue,
                    Err(error) => {
                        ctx.sleep(Duration::from_secs(60)).await?;
                        report(&bill, error.to_string()).await?;
                    }
                }
            }
            Ok(paid)
        }
        "#
    ));
}

#[test]
fn references_and_expressions() {
    insta::assert_snapshot!(expanded(
        r#"
        async fn total(order: Order) -> Result<i64, WorkflowError> {
            let name = &order.name;
            let sum = price(name).await? + price(&order.other).await?;
            for item in &order.items {
                note(format!("{name}: {}", check(item).await?)).await?;
            }
            Ok(sum)
        }
        "#
    ));
}
