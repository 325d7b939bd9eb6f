//! The admin key: it is shown to OpenAI, and to nobody else.

use std::fmt;

/// An admin key. It has no text form but the header that it is sent in.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminKey(String);

impl AdminKey {
    /// Out of a secret: the key itself, or a JSON object that has it as `admin_key`, `api_key` or `key`. `None` for
    /// what cannot be sent in a header.
    ///
    /// ```
    /// use tripmeter_openai::AdminKey;
    ///
    /// let key = AdminKey::of_secret(r#"{"admin_key": "sk-admin-example"}"#).unwrap();
    /// assert_eq!(Some(&key), AdminKey::of_secret(" sk-admin-example\n").as_ref());
    /// assert_eq!(format!("{key:?}"), "AdminKey(…)");
    /// ```
    pub fn of_secret(secret: &str) -> Option<Self> {
        let json: Option<serde_json::Value> = serde_json::from_str(secret).ok();
        let named = json.as_ref().and_then(serde_json::Value::as_object).map(|object| {
            let value = |name: &&str| object.get(*name)?.as_str();
            ["admin_key", "api_key", "key"]
                .iter()
                .find_map(value)
                .unwrap_or_default()
        });
        let key = named.unwrap_or(secret).trim();
        let is_sendable = !key.is_empty() && key.len() <= 512 && key.bytes().all(|byte| byte.is_ascii_graphic());
        is_sendable.then(|| Self(key.to_owned()))
    }

    /// The value of the header that authorizes a request.
    pub(crate) fn authorization(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for AdminKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminKey(…)")
    }
}
