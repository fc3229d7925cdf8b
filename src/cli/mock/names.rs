//! The one item of a plural: `/users/1/orders` filters by `userId`.

/// Plurals of REST paths that the endings do not tell.
const IRREGULAR: [(&str, &str); 15] = [
    ("aliases", "alias"),
    ("buses", "bus"),
    ("children", "child"),
    ("cookies", "cookie"),
    ("criteria", "criterion"),
    ("data", "datum"),
    ("indices", "index"),
    ("media", "medium"),
    ("men", "man"),
    ("movies", "movie"),
    ("news", "news"),
    ("people", "person"),
    ("series", "series"),
    ("statuses", "status"),
    ("women", "woman"),
];

/// The English singular of a collection's name; a name that is no plural stays as it is.
pub(super) fn singular(plural: &str) -> String {
    if let Some((_, singular)) = IRREGULAR.iter().find(|(irregular, _)| *irregular == plural) {
        return (*singular).to_owned();
    }
    if let Some(stem) = plural.strip_suffix("ies") {
        return format!("{stem}y");
    }
    if let Some(stem) = plural.strip_suffix("es")
        && ["ss", "x", "ch", "sh"].iter().any(|sibilant| stem.ends_with(sibilant))
    {
        return stem.to_owned();
    }
    match plural.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') => stem.to_owned(),
        _ => plural.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::singular;

    #[test]
    fn plurals_of_rest_paths_have_the_singulars_a_reader_expects() {
        for (plural, expected) in [
            ("users", "user"),
            ("orders", "order"),
            ("categories", "category"),
            ("addresses", "address"),
            ("statuses", "status"),
            ("boxes", "box"),
            ("branches", "branch"),
            ("purchases", "purchase"),
            ("movies", "movie"),
            ("people", "person"),
            ("staff", "staff"),
            ("address", "address"),
            ("s", ""),
            ("", ""),
        ] {
            assert_eq!(singular(plural), expected, "{plural}");
        }
    }
}
