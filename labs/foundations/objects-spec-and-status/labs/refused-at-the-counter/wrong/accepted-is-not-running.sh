# fails: births marriages deeds
# after: ask-by-command.sh
for form in births marriages deeds; do kubectl set image deployment/$form nginx=nginx:none; kubectl scale deployment $form --replicas=0; kubectl scale deployment $form --replicas=1; done
sleep 10
