"""Signatures: of submissions by a confirmation code or a certificate, of documents by a certificate."""
