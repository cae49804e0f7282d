#!/bin/sh
# Makes the two self-signed certificates that the TLS tests use: one for 127.0.0.1, one for another name. They protect nothing.
set -e
cd "$(dirname "$0")"
for name in loopback elsewhere; do
  case $name in loopback) san=IP:127.0.0.1 ;; *) san=DNS:elsewhere.example ;; esac
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 \
    -subj "/CN=planegate test $name" -addext "subjectAltName=$san" -keyout "$name.key.pem" -out "$name.cert.pem"
done
