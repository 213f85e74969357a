// Sends the form with its progress shown; without this script the form works as any form does.
const form = document.getElementById("upload");
const progress = document.getElementById("upload-progress");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const request = new XMLHttpRequest();
  progress.hidden = false;
  form.querySelector("button").disabled = true;
  request.upload.addEventListener("progress", (sent) => {
    if (sent.lengthComputable) progress.value = sent.loaded / sent.total;
  });
  request.addEventListener("load", () => {
    if (request.status < 400) {
      location.assign(request.responseURL);
      return;
    }
    document.documentElement.innerHTML = request.responseText;
  });
  request.addEventListener("error", () => form.submit());
  request.open("POST", form.action);
  request.send(new FormData(form));
});
