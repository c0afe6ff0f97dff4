//! When an authority or a certificate is due, and making the next one.

use super::certificates::expiry;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::X509Certificate;

const DAY: i64 = 86_400;

/// For how long an authority is good.
const AUTHORITY: i64 = 365 * DAY;

/// For how long a certificate is good.
const CERTIFICATE: i64 = 30 * DAY;

/// Clocks differ, so what is made is good from a little earlier on.
const SKEW: i64 = 3600;

/// What the replicas share; all of it PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Material {
    /// The authorities to trust, the newest first.
    pub(super) authorities: String,
    /// The key of the newest.
    pub(super) authority_key: String,
    /// The certificate of the server.
    pub(super) certificate: String,
    /// Its key.
    pub(super) key: String,
}

impl Material {
    /// Whether nobody takes the certificate any more; `now` counts seconds since 1970.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub(super) fn has_expired(&self, now: i64) -> Result<bool, String> {
        let certificates = certificates(&self.certificate)?;
        Ok(expiry(certificates.first().ok_or("no certificate in the Secret")?)? <= now)
    }
}

/// What is to come after `material`, in the next step; nothing if it is good as it is.
///
/// `published` are the authorities that the API server trusts, `now` counts seconds since 1970.
///
/// # Errors
///
/// What is wrong with the material.
pub(super) fn renew(
    material: Option<&Material>,
    names: &[String],
    published: &str,
    now: i64,
) -> Result<Option<Material>, String> {
    let Some(material) = material else {
        let (authority, authority_key) = new_authority(now)?;
        let (certificate, key) = sign(&authority, &authority_key, names, now)?;
        return Ok(Some(Material { authorities: authority, authority_key, certificate, key }));
    };
    let authorities = certificates(&material.authorities)?;
    let newest = authorities.first().ok_or("no authority in the Secret")?;
    if is_due(newest, AUTHORITY, now)? {
        let (authority, authority_key) = new_authority(now)?;
        let mut bundle = authority;
        for old in &authorities {
            if expiry(old)? > now {
                bundle.push_str(&pem(old));
            }
        }
        // The certificate is still one that the old authority has signed: nobody trusts the new one yet.
        let next = Material { authorities: bundle, authority_key, ..material.clone() };
        return Ok(Some(next));
    }
    let current = certificates(&material.certificate)?;
    let current = current.first().ok_or("no certificate in the Secret")?;
    let is_trusted = published.is_empty() || certificates(published)?.iter().any(|it| it == newest);
    let is_due = is_due(current, CERTIFICATE, now)?
        || !is_signed_by(current, newest)?
        || !has_names(current, names)?;
    if !is_due || !is_trusted {
        return Ok(None);
    }
    let (certificate, key) = sign(&pem(newest), &material.authority_key, names, now)?;
    Ok(Some(Material { certificate, key, ..material.clone() }))
}

/// Whether less than a third of its life is left.
fn is_due(certificate: &[u8], life: i64, now: i64) -> Result<bool, String> {
    Ok(expiry(certificate)? - now < life / 3)
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    read.map_err(|why| format!("not PEM: {why}"))
}

fn pem(certificate: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

fn parse(certificate: &[u8]) -> Result<X509Certificate<'_>, String> {
    let parsed = x509_parser::parse_x509_certificate(certificate);
    parsed.map(|(_, it)| it).map_err(|why| why.to_string())
}

/// Each authority has a name of its own, so the name of the issuer tells.
fn is_signed_by(certificate: &[u8], authority: &[u8]) -> Result<bool, String> {
    Ok(parse(certificate)?.issuer().as_raw() == parse(authority)?.subject().as_raw())
}

fn has_names(certificate: &[u8], names: &[String]) -> Result<bool, String> {
    let certificate = parse(certificate)?;
    let extension = certificate.subject_alternative_name().map_err(|why| why.to_string())?;
    let written = extension.iter().flat_map(|it| &it.value.general_names);
    let written: BTreeSet<String> = written
        .filter_map(|it| match it {
            GeneralName::DNSName(name) => Some((*name).to_string()),
            GeneralName::IPAddress(bytes) => match **bytes {
                [a, b, c, d] => Some(IpAddr::from([a, b, c, d]).to_string()),
                _ => <[u8; 16]>::try_from(*bytes).ok().map(|it| IpAddr::from(it).to_string()),
            },
            _ => None,
        })
        .collect();
    Ok(names.iter().all(|it| written.contains(it)))
}

/// A new authority and its key.
fn new_authority(now: i64) -> Result<(String, String), String> {
    let key = KeyPair::generate().map_err(|why| why.to_string())?;
    let mut params = params(&[], now, AUTHORITY)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    // Two that are made in the same second are told apart by their keys.
    let id =
        params.key_identifier(&key).iter().take(4).fold(0_u32, |sum, it| sum << 8 | u32::from(*it));
    params.distinguished_name.push(DnType::CommonName, format!("purlin {now} {id:08x}"));
    let certificate = params.self_signed(&key).map_err(|why| why.to_string())?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// A new certificate and its key.
fn sign(
    authority: &str,
    authority_key: &str,
    names: &[String],
    now: i64,
) -> Result<(String, String), String> {
    let authority_key = KeyPair::from_pem(authority_key).map_err(|why| why.to_string())?;
    let issuer =
        Issuer::from_ca_cert_pem(authority, authority_key).map_err(|why| why.to_string())?;
    let key = KeyPair::generate().map_err(|why| why.to_string())?;
    let mut params = params(names, now, CERTIFICATE)?;
    params.distinguished_name.push(DnType::CommonName, "purlin");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer).map_err(|why| why.to_string())?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn params(names: &[String], now: i64, life: i64) -> Result<CertificateParams, String> {
    let mut params = CertificateParams::new(names).map_err(|why| why.to_string())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    let seconds = |it: i64| Duration::from_secs(it.unsigned_abs());
    let start = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = start + seconds(now - SKEW);
    params.not_after = start + seconds(now + life);
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn names() -> Vec<String> {
        vec!["purlin.purlin.svc".into(), "127.0.0.1".into()]
    }

    fn step(material: &Material, published: &str, now: i64) -> Option<Material> {
        renew(Some(material), &names(), published, now).unwrap()
    }

    #[test]
    fn a_new_authority_signs_only_when_it_is_trusted_and_the_old_one_stays() {
        let first = renew(None, &names(), "", NOW).unwrap().unwrap();
        assert_eq!(step(&first, &first.authorities, NOW), None);

        let later = NOW + CERTIFICATE * 2 / 3 + 60;
        let second = step(&first, &first.authorities, later).unwrap();
        assert_eq!(second.authorities, first.authorities);
        assert_ne!(second.certificate, first.certificate);
        assert_eq!(step(&second, &second.authorities, later), None);

        let later = NOW + AUTHORITY * 2 / 3 + 60;
        let third = step(&second, &second.authorities, later).unwrap();
        assert!(third.authorities.contains(&second.authorities), "both are to be trusted");
        assert_eq!(third.certificate, second.certificate);
        // As long as the API server trusts only the old one, the old certificate is shown.
        assert_eq!(step(&third, &second.authorities, later), None);
        let fourth = step(&third, &third.authorities, later).unwrap();
        let authorities = certificates(&fourth.authorities).unwrap();
        assert_eq!(authorities.len(), 2);
        let certificate = &certificates(&fourth.certificate).unwrap()[0];
        assert!(is_signed_by(certificate, &authorities[0]).unwrap());
        assert_eq!(step(&fourth, &fourth.authorities, later), None);

        // What has expired is no longer trusted.
        let later = later + AUTHORITY;
        let fifth = step(&fourth, &fourth.authorities, later).unwrap();
        assert_eq!(certificates(&fifth.authorities).unwrap().len(), 1);
    }

    #[test]
    fn another_name_makes_another_certificate() {
        let first = renew(None, &names(), "", NOW).unwrap().unwrap();
        let other = vec!["purlin.other.svc".to_string()];
        let second = renew(Some(&first), &other, &first.authorities, NOW).unwrap().unwrap();
        assert!(has_names(&certificates(&second.certificate).unwrap()[0], &other).unwrap());
    }
}
