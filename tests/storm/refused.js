// Posts a body that will be refused, again and again, and counts the answers:
//
//     refused.js PORT TARGET BYTES STATUS TRIES
//
// The whole body is handed over at once.  Prints how many answers had the status.
const http = require("http");

const [port, target] = process.argv.slice(2, 4);
const [size, status, tries] = process.argv.slice(4).map(Number);
const body = Buffer.alloc(size, "x");
body[0] = "{".charCodeAt(0);

function post() {
    return new Promise((resolve) => {
        const options = { host: "127.0.0.1", port, path: target, method: "POST", agent: false,
                          timeout: 30000 };
        const request = http.request(options, (response) => {
            let text = "";
            response.on("data", (piece) => (text += piece));
            response.on("end", () =>
                resolve(response.statusCode === status && text.includes('"code"')));
            response.on("error", () => resolve(false));
        });
        request.on("timeout", () => request.destroy(new Error("no answer")));
        request.on("error", (error) => {
            console.error(error.message);
            resolve(false);
        });
        request.end(body);
    });
}

(async () => {
    let delivered = 0;
    for (let i = 0; i < tries; i++) delivered += await post();
    console.log(delivered);
})();
