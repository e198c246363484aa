# Stands in for node:24-bookworm-slim where Docker Hub cannot be reached. Like the real one: Debian
# bookworm, user node (uid 1000) with a home, Node 24 and npm in /usr/local/bin, docker-entrypoint.sh,
# CMD node, no USER.
FROM stage-standin:base
COPY node-root/ /usr/local/
COPY node-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
RUN groupadd --gid 1000 node \
  && useradd --uid 1000 --gid node --shell /bin/bash --create-home node \
  && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
  && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \
  && ln -s node /usr/local/bin/nodejs \
  && node --version && npm --version
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["node"]
