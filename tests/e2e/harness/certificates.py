# SPDX-License-Identifier: LGPL-2.1-or-later
"""Certificates for libvirt over TLS."""

import subprocess


def make_certificates(directory, names):
    """An authority, and one certificate for every host and client. names: what it is for, as "IP:…,IP:…"."""
    script = f"""
set -e
cd {directory}
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out cacert.pem
openssl req -newkey rsa:2048 -nodes -subj /CN=host -keyout serverkey.pem -out host.csr
printf 'subjectAltName={names}\\nextendedKeyUsage=serverAuth,clientAuth\\n' >extensions
openssl x509 -req -in host.csr -CA cacert.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions \\
    -out servercert.pem
cp servercert.pem clientcert.pem
cp serverkey.pem clientkey.pem
"""
    subprocess.run(["sh", "-c", script], check=True, capture_output=True)
