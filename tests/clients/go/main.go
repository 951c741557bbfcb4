// Drives a running server's status and spaces with a typed Go client made by
// oapi-codegen, the generator of the Terraform provider's kbapi package, from the
// official OpenAPI document. It is not that package itself.
//
// Needs a superuser. Uses spaces whose ids start with "kbgo-" and removes them before
// and after. The exit code is 0 only if every check passed.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"clients/spaces"
	"clients/system"
)

const (
	ghost        = "kbgo-ghost"
	idRule       = "must be lower case, a-z, 0-9, '_', and '-' are allowed"
	defaultSpace = `{"id":"default","name":"Default","description":"This is your default space!",` +
		`"color":"#00bfb3","disabledFeatures":[],"_reserved":true}`
	full = `{"id":"kbgo-full","name":"kbgo Full","description":"all the fields","color":"#aabbcc",` +
		`"initials":"KG","imageUrl":"data:image/png;base64,iVBORw0KGgo=","disabledFeatures":["ml","kbgo_no_such"]}`
)

// transport adds what every request of the Terraform provider carries.
type transport struct {
	username, password string
	xsrf               bool
}

func (t transport) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	if t.xsrf && request.Method != http.MethodGet && request.Method != http.MethodHead {
		request.Header.Set("kbn-xsrf", "true")
	}
	if t.username != "" {
		request.SetBasicAuth(t.username, t.password)
	}
	return http.DefaultTransport.RoundTrip(request)
}

type drive struct {
	checks
	ctx    context.Context
	url    string
	spaces *spaces.ClientWithResponses
	user   transport
}

func (d *drive) spacesAs(t transport) *spaces.ClientWithResponses {
	client, err := spaces.NewClientWithResponses(d.url, spaces.WithHTTPClient(&http.Client{Transport: t}))
	if err != nil {
		panic(err)
	}
	return client
}

func (d *drive) systemAs(t transport) *system.ClientWithResponses {
	client, err := system.NewClientWithResponses(d.url, system.WithHTTPClient(&http.Client{Transport: t}))
	if err != nil {
		panic(err)
	}
	return client
}

// inSpace puts the space's prefix in front of the path.
func inSpace(id string) spaces.RequestEditorFn {
	return func(_ context.Context, request *http.Request) error {
		request.URL.Path = "/s/" + id + request.URL.Path
		return nil
	}
}

func of[T any](value T) *T { return &value }

func (d *drive) status() {
	for label, who := range map[string]transport{"anonymous status": {}, "status with a wrong password": {username: d.user.username, password: "no"}} {
		got, err := d.systemAs(who).GetStatusWithResponse(d.ctx, nil)
		d.whole(label, got, err, 200, `{"status":{"overall":{"level":"available"}}}`)
	}
	got, err := d.systemAs(d.user).GetStatusWithResponse(d.ctx, &system.GetStatusParams{})
	if err != nil || got.JSON200 == nil {
		d.that("status", false, err)
		return
	}
	typed, err := got.JSON200.AsKibanaHTTPAPIsCoreStatusResponse()
	d.that("status fits the document", err == nil, err)
	d.that("version", regexp.MustCompile(`^8\.19\.\d+$`).MatchString(typed.Version.Number), typed.Version.Number)
	d.equal("build flavor", string(typed.Version.BuildFlavor), "traditional")
	d.equal("level", string(typed.Status.Overall.Level), "available")
	d.equal("core: elasticsearch", string(typed.Status.Core.Elasticsearch.Level), "available")
	d.equal("core: savedObjects", string(typed.Status.Core.SavedObjects.Level), "available")
	d.that("name and uuid", typed.Name != "" && len(typed.Uuid) == 36, typed.Uuid)
	d.that("metrics", typed.Metrics.CollectionIntervalInMillis > 0 && typed.Metrics.LastUpdated != "", typed.Metrics)
	d.equal("kbn-name", got.HTTPResponse.Header.Get("kbn-name"), typed.Name)

	both, err := d.systemAs(d.user).GetStatusWithResponse(d.ctx, &system.GetStatusParams{V7format: of(true), V8format: of(true)})
	d.refused("both formats", both, err, 400, "[request query]: provide only one format option: v7format or v8format")
}

func (d *drive) create(label, id string, body spaces.PostSpacesSpaceJSONRequestBody, want string) {
	body.Id = id
	got, err := d.spaces.PostSpacesSpaceWithResponse(d.ctx, body)
	d.whole("create: "+label, got, err, 200, want)
}

func (d *drive) createText(body string) (*spaces.PostSpacesSpaceResponse, error) {
	return d.spaces.PostSpacesSpaceWithBodyWithResponse(d.ctx, "application/json", strings.NewReader(body))
}

func (d *drive) get(label, id string, want string, editors ...spaces.RequestEditorFn) {
	got, err := d.spaces.GetSpacesSpaceIdWithResponse(d.ctx, id, editors...)
	d.whole("get: "+label, got, err, 200, want)
}

func (d *drive) creating() {
	d.get("default", "default", defaultSpace)
	d.create("all the fields", "kbgo-full", spaces.PostSpacesSpaceJSONRequestBody{
		Name: "kbgo Full", Description: of("all the fields"), Color: of("#aabbcc"), Initials: of("KG"),
		ImageUrl: of("data:image/png;base64,iVBORw0KGgo="), DisabledFeatures: of([]string{"ml", "kbgo_no_such"}),
	}, full)
	d.get("as created", "kbgo-full", full)
	got, err := d.createText(`{"id":"kbgo-marketing","name":"Marketing","color":null,"imageUrl":"","initials":"MK",` +
		`"description":"This is the Marketing Space","disabledFeatures":[]}`)
	d.whole("create: the documented example, color null", got, err, 200, `{"id":"kbgo-marketing","name":"Marketing",`+
		`"imageUrl":"","initials":"MK","description":"This is the Marketing Space","disabledFeatures":[]}`)
	d.get("through a space", "kbgo-full", full, inSpace("kbgo-marketing"))
	d.get("through the default space", "kbgo-full", full, inSpace("default"))
	d.get("through an unknown space", "kbgo-full", full, inSpace(ghost))
	d.get("with the API version", "kbgo-full", full, func(_ context.Context, r *http.Request) error {
		r.Header.Set("elastic-api-version", "2023-10-31")
		return nil
	})
}

func (d *drive) list(params *spaces.GetSpacesSpaceParams) []spaces.Space {
	got, err := d.spaces.GetSpacesSpaceWithResponse(d.ctx, params)
	if err != nil || got.JSON200 == nil {
		d.that("list", false, err)
		return nil
	}
	return *got.JSON200
}

func (d *drive) listing() {
	all := d.list(nil)
	ids, names := []string{}, []string{}
	for _, space := range all {
		ids, names = append(ids, space.Id), append(names, space.Name)
	}
	for _, id := range []string{"default", "kbgo-full", "kbgo-marketing"} {
		d.that("list: "+id, slices.Contains(ids, id), ids)
	}
	d.that("list: by name, byte order", slices.IsSorted(names), names)
	for _, purpose := range []spaces.GetSpacesSpaceParamsPurpose{spaces.Any, spaces.CopySavedObjectsIntoSpace, spaces.ShareSavedObjectsIntoSpace} {
		d.equal("list: "+string(purpose), d.list(&spaces.GetSpacesSpaceParams{Purpose: &purpose}), all)
	}
	granted := map[string]bool{"any": true, "copySavedObjectsIntoSpace": true, "findSavedObjects": true, "shareSavedObjectsIntoSpace": true}
	for _, space := range d.list(&spaces.GetSpacesSpaceParams{IncludeAuthorizedPurposes: of(true)}) {
		d.that("authorized purposes: "+space.Id, space.AuthorizedPurposes != nil && reflect.DeepEqual(*space.AuthorizedPurposes, granted), space)
	}
	got, err := d.spaces.GetSpacesSpaceWithResponse(d.ctx, &spaces.GetSpacesSpaceParams{Purpose: of(spaces.Any), IncludeAuthorizedPurposes: of(true)})
	d.refused("list: purpose and authorized purposes", got, err, 400, "[request query.include_authorized_purposes]: expected value to equal [false]")
}

func (d *drive) updating() {
	got, err := d.spaces.PutSpacesSpaceIdWithResponse(d.ctx, "kbgo-full", spaces.PutSpacesSpaceIdJSONRequestBody{Id: "kbgo-full", Name: "kbgo Renamed"})
	merged := strings.NewReplacer("kbgo Full", "kbgo Renamed", `["ml","kbgo_no_such"]`, "[]").Replace(full)
	d.whole("update: texts stay, disabledFeatures is reset", got, err, 200, merged)
	d.get("as updated", "kbgo-full", merged)
	got, err = d.spaces.PutSpacesSpaceIdWithResponse(d.ctx, "kbgo-full", spaces.PutSpacesSpaceIdJSONRequestBody{
		Id: "kbgo-full", Name: "kbgo Renamed", Description: of(""), Solution: of(spaces.PutSpacesSpaceIdJSONBodySolutionClassic),
	})
	cleared := strings.NewReplacer("all the fields", "", `"disabledFeatures"`, `"solution":"classic","disabledFeatures"`).Replace(merged)
	d.whole("update: cleared text, solution", got, err, 200, cleared)
	got, err = d.spaces.PutSpacesSpaceIdWithResponse(d.ctx, ghost, spaces.PutSpacesSpaceIdJSONRequestBody{Id: ghost, Name: "x"})
	d.refused("update: no upsert", got, err, 404, "Not Found")
}

func (d *drive) refusals() {
	taken, err := d.spaces.PostSpacesSpaceWithResponse(d.ctx, spaces.PostSpacesSpaceJSONRequestBody{Id: "kbgo-full", Name: "x"})
	d.refused("duplicate", taken, err, 409, "A space with the identifier kbgo-full already exists.")
	for body, message := range map[string]string{
		`{"id":"Not Valid","name":"x"}`:                   "[request body.id]: " + idRule,
		`{"id":"kbgo-bad"}`:                               "[request body.name]: expected value of type [string] but got [undefined]",
		`{"id":"kbgo-bad","name":""}`:                     "[request body.name]: value has length [0] but it must have a minimum length of [1].",
		`{"id":"kbgo-bad","name":"x","color":"red"}`:      "[request body.color]: must be a 6 digit hex color, starting with a #",
		`{"id":"kbgo-bad","name":"x","more":1}`:           "[request body.more]: definition for this key is missing",
		`{"id":"kbgo-bad","name":"x","description":null}`: "[request body.description]: expected value of type [string] but got [null]",
	} {
		got, err := d.createText(body)
		d.refused("create "+body, got, err, 400, message)
	}
	malformed, err := d.createText("{")
	d.refused("malformed JSON (text unverified)", malformed, err, 400, "Invalid request payload JSON format")
	missing, err := d.spaces.GetSpacesSpaceIdWithResponse(d.ctx, ghost)
	d.refused("unknown space", missing, err, 404, "Not Found")

	open := d.spacesAs(transport{username: d.user.username, password: d.user.password})
	bare, err := open.DeleteSpacesSpaceIdWithResponse(d.ctx, "kbgo-full")
	d.refused("no kbn-xsrf", bare, err, 400, "Request must contain a kbn-xsrf header.")
	anonymous, err := d.spacesAs(transport{xsrf: true}).GetSpacesSpaceWithResponse(d.ctx, nil)
	d.refused("no credentials", anonymous, err, 401, "Unauthorized")
	wrong, err := d.spacesAs(transport{username: "kbgo-nobody", password: "no"}).GetSpacesSpaceWithResponse(d.ctx, nil)
	reason := "unable to authenticate user [kbgo-nobody] for REST request [/_security/_authenticate]"
	d.refused("wrong credentials", wrong, err, 401, "[security_exception\n\tRoot causes:\n\t\tsecurity_exception: "+reason+"]: "+reason)
}

func (d *drive) deleting() {
	got, err := d.spaces.DeleteSpacesSpaceIdWithResponse(d.ctx, "kbgo-full")
	d.whole("delete", got, err, 204, "")
	again, err := d.spaces.DeleteSpacesSpaceIdWithResponse(d.ctx, "kbgo-full")
	d.refused("delete twice", again, err, 404, "Not Found")
	reserved, err := d.spaces.DeleteSpacesSpaceIdWithResponse(d.ctx, "default")
	d.refused("delete default", reserved, err, 400, "The default space cannot be deleted because it is reserved.")
}

func (d *drive) clean() {
	for _, space := range d.list(nil) {
		if strings.HasPrefix(space.Id, "kbgo-") {
			got, err := d.spaces.DeleteSpacesSpaceIdWithResponse(d.ctx, space.Id)
			if err != nil || got.StatusCode() != http.StatusNoContent {
				d.that("clean: "+space.Id, false, err)
			}
		}
	}
}

// generator is the version of the tool that made the client.
func generator() string {
	build, _ := debug.ReadBuildInfo()
	for _, module := range build.Deps {
		if module.Path == "github.com/oapi-codegen/runtime" {
			return "oapi-codegen runtime " + module.Version
		}
	}
	return "oapi-codegen"
}

func main() {
	url := flag.String("url", "", "address of the server")
	username := flag.String("username", "", "a superuser")
	password := flag.String("password", "", "the password")
	flag.Parse()
	if *url == "" || *username == "" {
		flag.Usage()
		os.Exit(2)
	}
	d := &drive{ctx: context.Background(), url: *url, user: transport{username: *username, password: *password, xsrf: true}}
	d.spaces = d.spacesAs(d.user)
	for _, section := range []func(){d.clean, d.status, d.creating, d.listing, d.updating, d.refusals, d.deleting, d.clean} {
		section()
	}
	if d.failed > 0 {
		fmt.Printf("%s: %d failed, %d passed\n", generator(), d.failed, d.passed)
		os.Exit(1)
	}
	fmt.Printf("%s: %d checks passed\n", generator(), d.passed)
}
