//! `serde_json`: its values as collections, and awaits in `json!`.

use serde::{Deserialize, Serialize};
use serde_json::json;
use workflow::prelude::*;

use crate::driver::*;
use crate::same;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Q {
    id: i64,
    name: String,
}

impl Q {
    fn label(&self) -> String {
        format!("{}!", self.name)
    }
}

#[test]
fn json_that_is_gone_over() {
    #[workflow]
    async fn run(n: i64) -> Result<i64, WorkflowError> {
        let mut cfg: serde_json::Value = json!({"a": {"x": 1, "y": 2, "z": n}, "s": [1, 2]});
        if let Some(serde_json::Value::Object(map)) = cfg.get_mut("a") {
            for (k, v) in map.iter_mut() {
                greet(k).await?;
                *v = json!(give(v.as_i64().unwrap()).await? * 2);
            }
            map.insert("w".into(), json!(greet("q").await?));
        }
        note(&cfg);
        let mut m: serde_json::Map<String, serde_json::Value> =
            cfg["a"].as_object().cloned().unwrap_or_default();
        for (k, v) in &m {
            greet(k).await?;
            if *v == n {
                m.clear();
                give(n).await?;
                break;
            }
        }
        let ks: Vec<&String> = m.keys().collect();
        for k in ks {
            greet(k).await?;
        }
        if let Some(serde_json::Value::Array(items)) = cfg.get_mut("s") {
            for item in items.iter_mut() {
                if let Some(i) = item.as_i64() {
                    *item = serde_json::Value::from(give(i).await?);
                }
            }
            items.push(serde_json::Value::Null);
        }
        for (k, v) in m {
            greet(&k).await?;
            note(v);
        }
        Ok(cfg["s"].as_array().map_or(0, Vec::len) as i64)
    }
    same!(run; (3), (4));
}

#[test]
fn awaits_in_json() {
    #[workflow]
    async fn run(n: i64) -> Result<String, WorkflowError> {
        let q = Q {
            id: n,
            name: "q".into(),
        };
        let tags = vec!["x".to_string()];
        let body = json!({"model": "m", "n": n, "q": q, "label": q.label(), "first": greet(&q.name).await?, "nested": [null, true, -1, {"deep": give(n).await?, "tags": tags, "none": Option::<i64>::None,}], "sum": add(q.id, 2).await? + n, });
        greet(&body["first"].to_string()).await?;
        note((&q, &tags));
        let e = json!([]);
        let o = json!({});
        let s = json!("text {n}");
        let mut log = vec![];
        log.push(json!({"role": "user", "content": format!("{n}")}));
        for l in &log {
            greet(l["content"].as_str().unwrap_or("")).await?;
        }
        Ok(format!("{body} {e} {o} {s}"))
    }
    same!(run; (3), (4));
}

#[test]
fn json_of_what_changes() {
    #[workflow]
    async fn run(mut n: i64) -> Result<String, WorkflowError> {
        let v = json!([
            n,
            ({
                n += 1;
                n
            }),
            n
        ]);
        give(n).await?;
        let w = json!({"a": ({ n += 1; give(n).await? }), "b": n});
        Ok(format!("{v} {w}"))
    }
    same!(run; (3), (4));
}
