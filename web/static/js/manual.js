// The documentation of the interfaces: the viewer of the definition, without calls to anybody's validator.

const place = document.getElementById("manual");
SwaggerUIBundle({ url: place.dataset.definition, domNode: place, deepLinking: true, validatorUrl: null, docExpansion: "list", defaultModelsExpandDepth: -1, filter: true });
