package main

import (
	"os"
	"slices"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
)

// writeBOM writes the bill of materials. It has neither a time nor a random number, so that two builds write the same.
func writeBOM(name, version, licence string, programs []*program, libraries []*library) error {
	bom := cyclonedx.NewBOM()
	own := licencesOf([]string{licence})
	product := &cyclonedx.Component{
		BOMRef: "gazpacho", Type: cyclonedx.ComponentTypeApplication, Name: "gazpacho", Version: version, Licenses: own,
	}
	bom.Metadata = &cyclonedx.Metadata{Component: product}
	var components []cyclonedx.Component
	var dependencies []cyclonedx.Dependency
	var parts []string
	for _, p := range programs {
		parts = append(parts, p.path)
		components = append(components, cyclonedx.Component{
			BOMRef: p.path, Type: cyclonedx.ComponentTypeApplication, Name: p.name, Version: version, Licenses: own, Properties: platforms(p),
		})
		dependencies = append(dependencies, dependency(p.path, p.libraries(libraries)))
	}
	for _, l := range libraries {
		components = append(components, component(l))
	}
	dependencies = slices.Insert(dependencies, 0, dependency(product.BOMRef, parts))
	bom.Components, bom.Dependencies = &components, &dependencies
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := cyclonedx.NewBOMEncoder(file, cyclonedx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cyclonedx.SpecVersion1_6); err != nil {
		return err
	}
	return file.Close()
}

// platforms says for which platforms a program was built.
func platforms(p *program) *[]cyclonedx.Property {
	var all []cyclonedx.Property
	for _, build := range p.builds {
		setting := map[string]string{}
		for _, s := range build.Settings {
			setting[s.Key] = s.Value
		}
		all = append(all, cyclonedx.Property{Name: "gazpacho:platform", Value: setting["GOOS"] + "/" + setting["GOARCH"]})
	}
	return &all
}

// libraries returns the refs of those that the program contains.
func (p *program) libraries(all []*library) (refs []string) {
	for _, l := range all {
		if p.modules[l.id()] {
			refs = append(refs, purl(l))
		}
	}
	return refs
}

func dependency(ref string, on []string) cyclonedx.Dependency {
	return cyclonedx.Dependency{Ref: ref, Dependencies: &on}
}

func component(l *library) cyclonedx.Component {
	c := cyclonedx.Component{
		BOMRef: purl(l), PackageURL: purl(l), Type: cyclonedx.ComponentTypeLibrary, Name: l.path, Version: l.version, Licenses: licencesOf(l.licences),
	}
	if l.sum != "" {
		c.Properties = &[]cyclonedx.Property{{Name: "gazpacho:go.sum", Value: l.sum}}
	}
	return c
}

// purl returns a library's package URL, as https://github.com/package-url/purl-spec has it for Go.
func purl(l *library) string {
	return "pkg:golang/" + l.path + "@" + strings.ReplaceAll(l.version, "+", "%2B")
}

func licencesOf(ids []string) *cyclonedx.Licenses {
	var all cyclonedx.Licenses
	for _, id := range ids {
		all = append(all, cyclonedx.LicenseChoice{License: &cyclonedx.License{ID: id}})
	}
	return &all
}
