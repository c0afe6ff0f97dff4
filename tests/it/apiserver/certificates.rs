//! A certificate authority for one test.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use std::fs;
use std::path::{Path, PathBuf};

/// An authority that writes what it issues into a folder.
pub(crate) struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new one; its certificate is `ca.crt`.
    pub(crate) fn new(folder: &Path) -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "purlin-it");
        let certificate = params.self_signed(&key).unwrap();
        fs::write(folder.join("ca.crt"), certificate.pem()).unwrap();
        Authority { folder: folder.to_path_buf(), issuer: Issuer::new(params, key) }
    }

    /// One below it, which writes into another folder; its certificate is `ca.crt` there.
    pub(crate) fn below(&self, folder: &Path) -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.distinguished_name.push(DnType::CommonName, "purlin-it-below");
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(folder.join("ca.crt"), certificate.pem()).unwrap();
        Authority { folder: folder.to_path_buf(), issuer: Issuer::new(params, key) }
    }

    /// Issues a certificate for loopback, for servers and clients alike, and says where it and its key are.
    pub(crate) fn issue(&self, file: &str, name: &str, groups: &[&str]) -> (PathBuf, PathBuf) {
        let names = vec!["127.0.0.1".to_string(), "localhost".to_string()];
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        for group in groups {
            params.distinguished_name.push(DnType::OrganizationName, *group);
        }
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let path = self.folder.join(format!("{file}.crt"));
        fs::write(&path, certificate.pem()).unwrap();
        let key_path = self.folder.join(format!("{file}.key"));
        fs::write(&key_path, key.serialize_pem()).unwrap();
        (path, key_path)
    }
}
