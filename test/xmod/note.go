package main

import (
	"encoding/json"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

func init() {
	handlers["note.newVerifier"] = func(args []json.RawMessage) (any, error) {
		verifier, err := note.NewVerifier(str(args, 0))
		if err != nil {
			return nil, err
		}
		return fmt.Sprintf("%s %d", verifier.Name(), verifier.KeyHash()), nil
	}
	handlers["note.newSigner"] = func(args []json.RawMessage) (any, error) {
		signer, err := note.NewSigner(str(args, 0))
		if err != nil {
			return nil, err
		}
		return fmt.Sprintf("%s %d", signer.Name(), signer.KeyHash()), nil
	}
	// open(message, verifier keys...)
	handlers["note.open"] = func(args []json.RawMessage) (any, error) {
		var verifiers []note.Verifier
		for i := range args[1:] {
			verifier, err := note.NewVerifier(str(args, i+1))
			if err != nil {
				return nil, err
			}
			verifiers = append(verifiers, verifier)
		}
		n, err := note.Open(raw(args, 0), note.VerifierList(verifiers...))
		if err != nil {
			return nil, err
		}
		return map[string]any{"text": n.Text, "sigs": describe(n.Sigs), "unverifiedSigs": describe(n.UnverifiedSigs)}, nil
	}
	// sign(text, signer keys...)
	handlers["note.sign"] = func(args []json.RawMessage) (any, error) {
		var signers []note.Signer
		for i := range args[1:] {
			signer, err := note.NewSigner(str(args, i+1))
			if err != nil {
				return nil, err
			}
			signers = append(signers, signer)
		}
		return note.Sign(&note.Note{Text: str(args, 0)}, signers...)
	}
}

func describe(sigs []note.Signature) []string {
	list := []string{}
	for _, sig := range sigs {
		list = append(list, fmt.Sprintf("%s %d %s", sig.Name, sig.Hash, sig.Base64))
	}
	return list
}
