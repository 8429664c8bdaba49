package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigs "sigs.k8s.io/yaml"
)

// kinds are the types of Kubernetes that manifests may have.
var kinds = map[string]func() any{
	"v1 Service":                    func() any { return &corev1.Service{} },
	"apps/v1 StatefulSet":           func() any { return &appsv1.StatefulSet{} },
	"policy/v1 PodDisruptionBudget": func() any { return &policyv1.PodDisruptionBudget{} },
}

// checkManifest reads each document into its type. A field that the type does not have, or of another type, is an error.
func checkManifest(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var errs []error
	found := 0
	for reader := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(text))); ; found++ {
		document := make([]byte, len(text))
		n, err := reader.Read(document)
		if errors.Is(err, io.EOF) {
			break
		}
		errs = append(errs, err, checkDocument(document[:n]))
	}
	if found == 0 {
		errs = append(errs, errors.New("it has no document"))
	}
	return errors.Join(errs...)
}

func checkDocument(text []byte) error {
	var meta struct{ APIVersion, Kind string }
	if err := sigs.Unmarshal(text, &meta); err != nil {
		return err
	}
	kind := meta.APIVersion + " " + meta.Kind
	object := kinds[kind]
	if object == nil {
		return fmt.Errorf("the kind %q is not known here", kind)
	}
	if err := sigs.UnmarshalStrict(text, object()); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	return nil
}
